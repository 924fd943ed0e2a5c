"""Migration steps of the events."""
