"""How messages get from commits to consumers: topics, groups, positions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import msgspec

Place: TypeAlias = tuple[int, int]
"""Where a message stands: the number of its transaction (0 on SQLite), then its own."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """Something that happened.  ``id`` is what to recognise it by when it comes again."""

    place: Place
    topic: str
    workspace: int
    id: str
    body: str


class Subscription(ABC):
    """One consumer's place in a topic."""

    @property
    @abstractmethod
    def waiting(self) -> tuple[int, bool]:
        """How many messages are known to wait or are in hand, and whether there are more."""

    @abstractmethod
    async def next(self, limit: int) -> Sequence[Message]:
        """Wait for messages; at least one, at most ``limit``, in order."""

    @abstractmethod
    def done(self) -> None:
        """Say that what :meth:`next` gave is handled."""

    @abstractmethod
    async def close(self) -> None:
        """Give the place back; a group's is stored."""


class Broker(ABC):
    """Delivers what commits put into the outbox, at least once."""

    shared: ClassVar[bool]
    """Whether other processes take part, so that singletons have to agree who runs."""

    @abstractmethod
    async def start(self, *, absent: Sequence[str] = ()) -> None:
        """Begin to deliver.  ``absent`` are enabled plugins whose consumers run elsewhere."""

    @abstractmethod
    async def subscribe(self, topic: str, group: str | None) -> Subscription:
        """Take a place in a topic: a group's stored one, or, without a group, the present end."""

    @abstractmethod
    async def close(self) -> None:
        """Stop delivering; positions are stored."""
