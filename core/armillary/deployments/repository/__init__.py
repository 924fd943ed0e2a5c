"""Every write on deployments and their schedules."""
