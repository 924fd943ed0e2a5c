"""The tables of concurrency, as Piccolo declares them."""

from piccolo.columns import BigInt, DoublePrecision, Integer, SmallInt, Text
from piccolo.table import Table


class ConcurrencyLimitTable(Table, tablename="concurrency_limit"):
    """A limit on how much runs at once."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    active = SmallInt()
    slot_limit = Integer()
    active_slots = Integer()
    denied_slots = Integer()
    slot_decay_per_second = DoublePrecision()
    avg_slot_occupancy_seconds = DoublePrecision()


class ConcurrencyLeaseTable(Table, tablename="concurrency_lease"):
    """Slots that somebody holds for a time."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    expires = BigInt()
    lasts = BigInt()
    slots = Integer()
    holder_type = Text(null=True)
    holder_id = Text(null=True)


class ConcurrencyLeaseLimitTable(Table, tablename="concurrency_lease_limit"):
    """The limits that a lease holds slots of."""

    limit_id = Text(primary_key=True)
    lease_id = Text()
