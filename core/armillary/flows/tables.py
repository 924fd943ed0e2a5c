"""The tables of flows, as Piccolo declares them."""

from piccolo.columns import BigInt, Integer, Text
from piccolo.table import Table


class FlowTable(Table, tablename="flow"):
    """A flow: a name with tags and labels."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    tags = Text()
    labels = Text()
