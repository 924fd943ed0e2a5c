"""Creates the table of saved searches; their conditions are JSON text."""

STATEMENTS = (
    """create table saved_search (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        filters text not null
    )""",
    # one per name; lists by name
    "create unique index saved_search_name on saved_search (workspace, name)",
)
