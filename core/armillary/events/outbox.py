"""The outbox: what commits emitted, in the order in which it may be read, and who has read it.

Rows are read by (tx, id).  On SQLite there is one writer, so ids ascend in the order of commits
and tx is always 0.  On PostgreSQL a transaction with a lower number may commit later, so a row
may be read only once every transaction up to its own has ended: until then it is not settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from armillary.broker import Message, Place
from armillary.db.database import Database
from armillary.db.unit import Unit

START: Place = (0, 0)

_READ = (
    "select tx, id, topic, workspace, event_id, body, {settled} from outbox "
    "where {past} order by {by_arrival} limit ?"
)
_READ_TOPIC = (
    "select tx, id, topic, workspace, event_id, body, {settled} from outbox "
    "where topic = ? and {past} order by {by_arrival} limit ?"
)
_END = (
    "select tx, id from outbox where {settled} and {past} order by {by_arrival_backwards} limit 1"
)
_POSITIONS = "select consumer, tx, id from consumer_position"
_POSITION = "select tx, id from consumer_position where consumer = ?"
_STORE = (
    "insert into consumer_position (consumer, tx, id, updated) values (?, ?, ?, ?) "
    "on conflict (consumer) do update set tx = excluded.tx, id = excluded.id, "
    "updated = excluded.updated"
)
_TRIM = (
    "delete from outbox where id in "
    "(select id from outbox where {passed} order by {by_arrival} limit ?)"
)


class Outbox:
    """Reads, positions and trimming; what is emitted is written by the unit of work."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = database.read(None)

    async def after(
        self, place: Place, *, limit: int, topic: str | None = None
    ) -> tuple[list[Message], bool]:
        """Return the next settled messages, and whether some are there that are not settled."""
        if topic is None:
            rows = await self._reader.all(_READ, *place, limit)
        else:
            rows = await self._reader.all(_READ_TOPIC, topic, *place, limit)
        messages = [
            Message((row[0], row[1]), row[2], row[3], row[4], row[5]) for row in rows if row[6]
        ]
        return messages, len(messages) < len(rows)

    async def end(self) -> Place:
        """Return the place of the newest settled message."""
        rows = await self._reader.all(_END, *START)
        return (rows[0][0], rows[0][1]) if rows else START

    async def position(self, group: str) -> Place:
        """Return a group's stored place; the start for a new group."""
        row = await self._reader.one(_POSITION, group)
        return (row[0], row[1]) if row else START

    async def positions(self) -> dict[str, Place]:
        """Return every stored place."""
        return {row[0]: (row[1], row[2]) for row in await self._reader.all(_POSITIONS)}

    async def store(self, positions: Mapping[str, Place]) -> None:
        """Store the places of some groups."""

        async def write(unit: Unit) -> None:
            await unit.many(
                _STORE,
                [(group, *place, unit.micros) for group, place in sorted(positions.items())],
            )

        await self._database.write(write, workspace=None)

    async def trim(self, place: Place, *, limit: int) -> int:
        """Delete up to ``limit`` of the oldest messages up to a place; return how many."""

        async def delete(unit: Unit) -> int:
            return await unit.run(_TRIM, *place, limit)

        return await self._database.write(delete, workspace=None)


def floor(
    *, end: Place, here: Iterable[Place], absent: Sequence[str], stored: Mapping[str, Place]
) -> Place:
    """Return the place up to which nobody needs the outbox any more.

    ``here`` is what consumers of this process have handled; ``absent`` are plugins whose
    consumers run elsewhere, which hold back what their stored groups have not read, and
    everything if they never ran.
    """
    places = [end, *here]
    for plugin in absent:
        groups = [place for group, place in stored.items() if group.partition(".")[0] == plugin]
        places.extend(groups or [START])
    return min(places)
