"""Marks runs crashed whose agent is heard of no more.

Agents say which runs they hold, and are told which of them somebody wants cancelled or has ended.
Every `interval` seconds the runs of agents that were not heard of for `silence` seconds, or that
were started anew, get the state Crashed, with what is known of them.
"""

from armillary import Manifest
from armillary_plugins.mark_crashed_runs.config import Config

MANIFEST = Manifest(
    summary="Marks runs crashed whose agent is heard of no more.",
    config=Config,
)
