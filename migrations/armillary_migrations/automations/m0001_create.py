"""Creates the tables of automations.

Trigger and actions are JSON documents; what waits for triggers takes them whole.
"""

STATEMENTS = (
    """create table automation (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        description text not null,
        enabled smallint not null,
        tags text not null,
        trigger_spec text not null,
        actions text not null,
        actions_on_trigger text not null,
        actions_on_resolve text not null
    )""",
    # one by its name; lists by name
    "create index automation_name on automation (workspace, name, id)",
    # lists by age
    "create index automation_created on automation (workspace, created, id)",
    # lists by the last change, which also tells whether there was one
    "create index automation_updated on automation (workspace, updated, id)",
    # those of a workspace that are in force
    "create index automation_enabled on automation (workspace, id) where enabled = 1",
    """create table automation_resource (
        automation_id {key} not null,
        resource_id {key} not null,
        workspace integer not null,
        owned smallint not null,
        primary key (automation_id, resource_id)
    )""",
    # the automations that are about a resource
    "create index automation_resource_about on automation_resource (workspace, resource_id)",
)
