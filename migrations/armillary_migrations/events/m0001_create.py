"""Creates the event store.

An event is kept as the JSON text that is answered; columns beside it are what is looked for.
A row of event_resource says that an event has to do with a resource, in whatever role: it finds
events, the text decides.
"""

STATEMENTS = (
    """create table event (
        key {serial},
        workspace integer not null,
        id {key} not null,
        occurred bigint not null,
        received bigint not null,
        event {key} not null,
        resource_id {key} not null,
        follows {key},
        body text not null
    )""",
    # storing an event once; events by id
    "create unique index event_id on event (workspace, id)",
    # lists and counts by time, whose names can be chosen without touching a row
    "create index event_time on event (workspace, occurred, key, event)",
    # events of a resource, by time
    """create table event_resource (
        workspace integer not null,
        resource_id {key} not null,
        occurred bigint not null,
        event_key bigint not null,
        primary key (workspace, resource_id, occurred, event_key)
    ) {clustered}""",
)
