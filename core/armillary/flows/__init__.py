"""Flows: what people wrote, by name."""
