"""Migration steps of artifacts."""
