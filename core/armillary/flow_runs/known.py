"""Flow runs as they were answered before, for lists that are asked again and again.

To shape a row and encode it takes as long as to read it, and most rows of a list are the same the
next time.  What depends on the time comes first in an answer; what follows is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.db.unit import Row
from armillary.flow_runs.reading import estimates_from_row, flow_run_from_row

_KNOWN = 1000
_LARGEST = 8192
"""Bytes of what is remembered of one: with its row, all are 20 MB at most, and usually 6."""
_encode = msgspec.json.Encoder().encode


class KnownFlowRuns:
    """What was made of rows, by id; given again for an equal row only."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Row, bytes]] = {}

    def shown(self, rows: Sequence[Row], *, now: int) -> list[msgspec.Raw]:
        """Encode each of the rows as :func:`flow_run_from_row` shapes it; ``now`` is in µs."""
        return [msgspec.Raw(self._shown(row, now)) for row in rows]

    def _shown(self, row: Row, now: int) -> bytes:
        estimates = _encode(estimates_from_row(row, now=now)).removesuffix(b"}")
        known = self._known.get(row[0])
        if known is not None and known[0] == row:
            return estimates + known[1]
        encoded = _encode(flow_run_from_row(row, now=now))
        if len(encoded) <= _LARGEST:
            self._remember(row, encoded.removeprefix(estimates))
        return encoded

    def _remember(self, row: Row, rest: bytes) -> None:
        self._known.pop(row[0], None)
        if len(self._known) >= _KNOWN:
            del self._known[next(iter(self._known))]
        self._known[row[0]] = (row, rest)
