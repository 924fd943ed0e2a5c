"""What travels."""

from __future__ import annotations

import msgspec


class Moments(msgspec.Struct, frozen=True):
    """The number."""

    moments: int
