"""Migration steps of the logs."""
