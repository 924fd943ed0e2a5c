"""A service and its life.

::

    made ──▶ open ──▶ run ─────────────────────▶ close
              │        │ drain, wind_down, cancel  ▲
              │        ├───────────────────────────┤
              │        └── raises ─────────────────┤  a failure stops all services, with its name
              └── raises ──────────────────────────┘

``open`` prepares and returns; ``run`` goes on until it is cancelled; ``close`` gives back what
``open`` took, however ``run`` ended.  The supervisor opens all before it runs any, and closes in
reverse.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from armillary.services.record import Record

if TYPE_CHECKING:
    from armillary.core import Core


def _unheard(_signal: str, _value: object) -> None:
    """Do nothing: signals are for tests."""


class Service(ABC):
    """Something that runs as long as the process does.  ``name`` is unique in a process."""

    name: ClassVar[str]

    def __init__(self, core: Core) -> None:
        self.core = core
        self.log = logging.getLogger(f"armillary_plugins.{self.name}")
        self.record = Record()
        self.signal: Callable[[str, object], None] = _unheard
        """Told what happened inside (`turned`, `failed`, `handled`): tests need no sleep."""

    async def open(self) -> None:  # noqa: B027 - most services have nothing to do here
        """Prepare; nothing by default."""

    @abstractmethod
    async def run(self) -> None:
        """Work until cancelled."""

    async def drain(self) -> None:  # noqa: B027 - the same
        """Take nothing new and let what is under way end; called while requests are answered."""

    def wind_down(self) -> None:  # noqa: B027 - the same
        """Let go of requests that are kept open; called before the web server waits for them."""

    async def close(self) -> None:  # noqa: B027 - the same
        """Give back what :meth:`open` took; nothing by default."""
