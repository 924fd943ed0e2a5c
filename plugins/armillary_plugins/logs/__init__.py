"""Keeps what flow runs and task runs log, and gives it back.

Lines come in batches, several batches share one commit, and they are answered only once they are
durable.  They are read by run, level, time and text, a page or a whole run at a time, and streamed
by `/logs/out` as this process stores them.  Every `interval` seconds a part of the runs is looked
at: lines of runs that are gone are deleted.
"""

from armillary import Manifest
from armillary_plugins.logs.config import Config

MANIFEST = Manifest(
    summary="Keeps what flow runs and task runs log, and gives it back.", config=Config
)
