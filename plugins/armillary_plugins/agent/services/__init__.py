"""The agent at work: what it takes, how it runs that, and how it speaks with its server."""
