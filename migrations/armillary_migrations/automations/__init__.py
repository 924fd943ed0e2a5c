"""Migration steps of automations."""
