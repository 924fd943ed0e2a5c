"""Variables of a workspace, where a value stands for one: found out, read, and put in.

The core keeps none itself; plugins hand over sources of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from armillary.db.unit import Reader
from armillary.deployments.hydration import (
    HydrationError,
    hydrate,
    hydrate_for_form,
    unread_variables,
)

ReadVariables: TypeAlias = Callable[[Reader, Collection[str]], Awaitable[Mapping[str, msgspec.Raw]]]
_ROUNDS: Final = 10
"""How often a name may turn out to be another variable's value."""
_NOBODY: Final = " Nothing here keeps variables: the plugin variables is disabled."


class VariableSource(msgspec.Struct, frozen=True):
    """Where variables are kept; ``read`` returns those of the reader's workspace that are there."""

    name: str
    read: ReadVariables


class Variables:
    """Replaces what stands for others, with variables from every source."""

    def __init__(self, sources: Sequence[VariableSource]) -> None:
        self._sources = sources
        self._note = "" if sources else _NOBODY

    async def hydrate(
        self, reader: Reader, parameters: Mapping[str, msgspec.Raw]
    ) -> dict[str, msgspec.Raw]:
        """Parameters with everything in them replaced; HydrationError where that cannot be."""
        known = await self._known(reader, parameters)
        return hydrate(parameters, variables=known, note=self._note)

    async def hydrate_for_form(self, reader: Reader, values: Mapping[str, msgspec.Raw]) -> Any:
        """Values as a form checks them: problems stay in place, and templates are not rendered."""
        known = await self._known(reader, values)
        return hydrate_for_form(values, variables=known, note=self._note)

    async def _known(
        self, reader: Reader, parameters: Mapping[str, msgspec.Raw]
    ) -> dict[str, msgspec.Raw]:
        """The variables that parameters ask for; a name may be the value of another."""
        known: dict[str, msgspec.Raw] = {}
        asked: set[str] = set()
        for _ in range(_ROUNDS):
            names = unread_variables(parameters, known) - asked
            if not names:
                return known
            asked |= names
            for source in self._sources:
                for name, value in (await source.read(reader, names)).items():
                    known.setdefault(name, value)
        message = f"Variables name other variables more than {_ROUNDS} deep."
        raise HydrationError(message)
