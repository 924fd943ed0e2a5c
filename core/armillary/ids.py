"""New ids: UUIDv7, made of the injected clock and the injected chance.

Layout after RFC 9562, 5.7: 48 bits of milliseconds, version, 12 bits that count within the
millisecond so that ids of one process ascend, variant, 62 random bits.
"""

from __future__ import annotations

import random
from uuid import UUID

from armillary.clock import Clock

_SEQUENCE = 1 << 12


class Ids:
    """A source of ids that ascend in the order they are asked for."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._last = 0

    @classmethod
    def of_this_machine(cls, clock: Clock) -> Ids:
        """Make a source for a command, which has no core: the system's own chance."""
        return cls(clock, random.SystemRandom())

    def uuid7(self) -> str:
        """Return a new id in canonical text form."""
        micros = self._clock.micros()
        tick = (micros // 1000) * _SEQUENCE + (micros % 1000) * 4
        if tick <= self._last:
            tick = self._last + 1
        self._last = tick
        value = (
            ((tick >> 12) & 0xFFFFFFFFFFFF) << 80
            | 0x7 << 76
            | (tick & 0xFFF) << 64
            | 0b10 << 62
            | self._chance.getrandbits(62)
        )
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def uuid4(self) -> str:
        """Return an id that tells nothing, for tokens such as leases."""
        return str(UUID(int=self._chance.getrandbits(128), version=4))
