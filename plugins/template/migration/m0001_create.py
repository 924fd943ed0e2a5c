"""Creates the table of the number."""

STATEMENTS = (
    """create table example (
        workspace integer not null primary key,
        moments bigint not null
    )""",
)
