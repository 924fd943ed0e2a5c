"""Every query on the event store: storing, and finding."""
