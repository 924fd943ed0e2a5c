"""Creates the table of variables; a value is JSON text."""

STATEMENTS = (
    """create table variable (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        value text not null,
        tags text not null
    )""",
    # one variable per name; lists by name
    "create unique index variable_name on variable (workspace, name)",
    # lists by age, and by the last change
    "create index variable_created on variable (workspace, created)",
    "create index variable_updated on variable (workspace, updated)",
)
