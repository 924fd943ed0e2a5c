"""Runs flow runs and plain commands as processes of this machine.

It takes the runs of the pool `local`, which it makes, and of the pools its settings name, and of
no other unasked. A run of a deployment with an entrypoint is a flow of the SDK, run by a Python
that can import it; one of a deployment with nothing but a `command` is that command: its output
becomes logs, its exit code the state.
"""

from armillary import Manifest
from armillary_plugins.agent.config import Config

MANIFEST = Manifest(
    summary="Runs flow runs and plain commands as processes of this machine.",
    requires=("logs", "mark_crashed_runs"),
    config=Config,
    elsewhere="server",
)
