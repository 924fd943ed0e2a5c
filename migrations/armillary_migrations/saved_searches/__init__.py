"""Migration steps of saved searches."""
