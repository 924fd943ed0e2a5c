"""The gate: a run's state changes here and nowhere else."""
