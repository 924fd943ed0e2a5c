"""The server, which takes up the jobs of a dead worker after seconds instead of a minute."""

from __future__ import annotations

import sys

from armillary.cli import main as armillary
from armillary.jobs import ledger, store

_LEASE = 3
"""Seconds after the last word of its worker after which a job is taken up again."""
_LOOK = 0.5


def main() -> int:
    """Be that server."""
    store.LEASE = _LEASE * 1_000_000
    ledger._BEAT = _LEASE / 3
    ledger._POLL = _LOOK
    return armillary()


if __name__ == "__main__":
    sys.exit(main())
