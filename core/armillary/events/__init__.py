"""What happened: events as they are stored, streamed and delivered."""
