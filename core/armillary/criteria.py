"""The operator objects that filters are made of, as clients send them.

Unknown keys are ignored, null is "not given".  Each turns itself into conditions on a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from armillary.api import Body, OrDefault
from armillary.clock import to_micros
from armillary.db import filters
from armillary.db.filters import TRUE, Condition, TagPlace, combined, every
from armillary.orchestration.wire import in_utc

Operator: TypeAlias = Literal["and_", "or_"]


class Combining(Body):
    """A filter whose parts are combined by its ``operator``."""

    operator: OrDefault[Operator] = "and_"

    def combine(self, conditions: list[Condition]) -> Condition:
        """Put the parts together."""
        return combined(self.operator, conditions)


def micros(moment: datetime | None) -> int | None:
    """Turn a time a client sent into what is stored."""
    return None if moment is None else to_micros(in_utc(moment))


def texts(ids: list[UUID] | None) -> list[str] | None:
    """Turn ids into what is stored."""
    return None if ids is None else [str(each) for each in ids]


class Ids(Body):
    """``any_``, ``not_any_`` of ids."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return every(
            [
                *filters.any_of(column, texts(self.any_)),
                *filters.none_of(column, texts(self.not_any_)),
            ]
        )

    def only(self) -> list[str] | None:
        """Return the ids to choose from where that is all this asks for."""
        return None if self.not_any_ else texts(self.any_)


class IdsOrNone(Combining):
    """``any_`` of ids, ``is_null_``."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return self.combine(
            [
                *filters.any_of(column, texts(self.any_)),
                *filters.is_null(column, self.is_null_),
            ]
        )

    def only(self) -> list[str] | None:
        """Return the ids to choose from where that is all this asks for."""
        return texts(self.any_) if self.is_null_ is None else None


class Choice(Body):
    """``any_``, ``not_any_`` of texts."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return every([*filters.any_of(column, self.any_), *filters.none_of(column, self.not_any_)])


class ChoiceOrNone(Combining):
    """``any_`` of texts, ``is_null_``."""

    any_: list[str] | None = None
    is_null_: bool | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return self.combine(
            [*filters.any_of(column, self.any_), *filters.is_null(column, self.is_null_)]
        )


class EitherChoice(Choice):
    """A choice that says nothing when it is given both ways, as clients expect."""

    def on(self, column: str) -> Condition:
        """Make the condition."""
        if self.any_ is not None and self.not_any_ is not None:
            return TRUE
        return super().on(column)


class Names(Body):
    """``any_`` and ``like_``."""

    any_: list[str] | None = None
    like_: str | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return every([*filters.any_of(column, self.any_), *filters.like(column, self.like_)])


class Prefixes(Body):
    """``any_`` and ``startswith_``."""

    any_: list[str] | None = None
    startswith_: list[str] | None = None

    def on(self, column: str) -> Condition:
        """Make the condition."""
        return every(
            [*filters.any_of(column, self.any_), *filters.starts_with(column, self.startswith_)]
        )


class Likeness(Body):
    """``like_`` alone."""

    like_: str | None = None


class AllTags(Combining):
    """``all_`` and ``is_null_`` of tags."""

    all_: list[str] | None = None
    is_null_: bool | None = None

    def on(self, place: TagPlace) -> Condition:
        """Make the condition."""
        return self.combine([*place.all_of(self.all_), *place.is_empty(self.is_null_)])


class AnyTags(Combining):
    """``all_``, ``any_`` and ``is_null_`` of tags."""

    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None

    def on(self, place: TagPlace) -> Condition:
        """Make the condition."""
        return self.combine(
            [
                *place.all_of(self.all_),
                *place.any_of(self.any_),
                *place.is_empty(self.is_null_),
            ]
        )


class Times(Body):
    """``before_``, ``after_``, both inclusive, and ``is_null_`` where the object has it."""

    before_: datetime | None = None
    after_: datetime | None = None
    is_null_: bool | None = None

    def on(self, column: str, *, null: str | None = None) -> Condition:
        """Make the condition; ``is_null_`` asks the column ``null``."""
        return every(
            [
                *filters.between(column, micros(self.after_), micros(self.before_)),
                *filters.is_null(null or column, self.is_null_ if null else None),
            ]
        )


class Flag(Body):
    """``eq_``."""

    eq_: bool | None = None


class Presence(Body):
    """``exists_``."""

    exists_: bool | None = None


class AbsenceOnly(Combining):
    """``is_null_`` alone."""

    is_null_: bool | None = None


StateTypeName: TypeAlias = Literal[
    "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED",
    "CANCELLING",
]  # fmt: skip


class StateTypes(Body):
    """``any_``, ``not_any_`` of the nine types, which go into the SQL as they are."""

    any_: list[StateTypeName] | None = None
    not_any_: list[StateTypeName] | None = None

    def on(self, column: str) -> Condition:
        """Make the condition; given both ways it says nothing, as clients expect."""
        if self.any_ is not None and self.not_any_ is not None:
            return TRUE
        if self.any_ is not None:
            return states_among(column, self.any_)
        if self.not_any_:
            return Condition(f"{column} not in ({_literals(list(self.not_any_))})")
        return TRUE


class States(Combining):
    """The state's type and name."""

    type: StateTypes | None = None
    name: EitherChoice | None = None

    def on(self, alias: str) -> Condition:
        """Make the condition on a run's columns."""
        parts = []
        if self.type is not None:
            parts.append(self.type.on(f"{alias}.state_type"))
        if self.name is not None:
            parts.append(self.name.on(f"{alias}.state_name"))
        return self.combine(parts)

    def required_types(self) -> list[StateTypeName] | None:
        """Return the types to choose from, if no others can match."""
        if self.type is None or self.type.not_any_ is not None:
            return None
        if self.operator == "or_" and self.name is not None:
            return None
        return self.type.any_

    def required_names(self) -> list[str] | None:
        """Return the names to choose from, if no others can match."""
        if self.name is None or self.name.not_any_ is not None:
            return None
        if self.operator == "or_" and self.type is not None:
            return None
        return self.name.any_


def states_among(column: str, types: Sequence[str]) -> Condition:
    """The column is one of these types; literals, so that partial indexes serve it."""
    if not types:
        return filters.FALSE
    if len(set(types)) == 1:
        return Condition(f"{column} = '{types[0]}'")
    return Condition(f"{column} in ({_literals(list(types))})")


def _literals(types: Sequence[str]) -> str:
    return ", ".join(f"'{each}'" for each in sorted(set(types)))
