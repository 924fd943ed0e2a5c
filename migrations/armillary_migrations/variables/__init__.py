"""Migration steps of variables."""
