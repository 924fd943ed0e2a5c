"""Migration steps of the agents and the runs they hold."""
