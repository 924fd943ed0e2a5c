"""Migration steps of example."""
