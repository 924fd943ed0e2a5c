"""Migration steps of the blocks."""
