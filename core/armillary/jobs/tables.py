"""The table of jobs, as Piccolo declares it."""

from piccolo.columns import BigInt, DoublePrecision, Integer, Text
from piccolo.table import Table


class JobTable(Table, tablename="job"):
    """A job: what is to be done, by whom, and how it goes."""

    id = Text(primary_key=True)
    queue = Text()
    key = Text()
    workspace = Integer()
    job = Text()
    arguments = Text()
    state = Text()
    group_key = Text(null=True)
    created = BigInt()
    scheduled = BigInt()
    attempts = Integer()
    attempts_allowed = Integer()
    progress = DoublePrecision()
    note = Text(null=True)
    error = Text(null=True)
    worker = Text(null=True)
    started = BigInt(null=True)
    touched = BigInt(null=True)
    deadline = BigInt(null=True)
    ended = BigInt(null=True)
    expires = BigInt(null=True)
