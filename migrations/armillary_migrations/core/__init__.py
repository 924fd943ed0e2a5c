"""Migration steps of the core's tables."""
