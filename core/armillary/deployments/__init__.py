"""Deployments: what may run, on which schedule, with which parameters."""
