"""What the pages of the API's reference show."""

from __future__ import annotations

import msgspec


class Piece(msgspec.Struct, frozen=True):
    """A few words of what a value is."""

    text: str
    shape: str | None = None
    """The shape they name."""


Kind = tuple[Piece, ...]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of an object."""

    name: str
    kind: Kind
    needed: bool = False
    default: str | None = None
    """As JSON."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What the document has once under a name of its own: an object, or values to choose from."""

    name: str
    members: tuple[Member, ...] = ()
    values: tuple[str, ...] = ()


class Parameter(Member, frozen=True, kw_only=True):
    """A value in an address."""

    place: str
    """``path`` or ``query``."""


class OneAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation answers with under one status."""

    status: str
    phrase: str
    kind: Kind = ()


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation may be refused with, where that has one shape."""

    told: str
    kind: Kind


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method of a path."""

    id: str
    method: str
    path: str
    summary: str
    scope: str | None = None
    parameters: tuple[Parameter, ...] = ()
    body: Kind = ()
    answers: tuple[OneAnswer, ...] = ()
    refusals: tuple[Refusals, ...] = ()


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one tag, with every shape that they lead to."""

    slug: str
    name: str
    operations: tuple[Operation, ...]
    shapes: tuple[Shape, ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    version: str
    topics: tuple[Topic, ...]

    @property
    def count(self) -> int:
        """How many operations there are."""
        return sum(len(topic.operations) for topic in self.topics)
