"""Creates the tables of artifacts and of the collections that those with a key form.

Ids of artifacts ascend, so the newest of a key is the one with the highest id.  A collection
holds nothing of its latest artifact but the id.
"""

STATEMENTS = (
    """create table artifact (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        key {key},
        type {key},
        description text,
        data text,
        metadata text,
        flow_run_id {key},
        task_run_id {key}
    )""",
    # the newest of a key; lists by key
    "create index artifact_key on artifact (workspace, key, id)",
    # artifacts of a key by when they changed
    """create index artifact_key_updated on artifact (workspace, key, updated)
        where key is not null""",
    # artifacts of a flow run by age; deleting a flow run
    """create index artifact_flow_run on artifact (workspace, flow_run_id, created)
        where flow_run_id is not null""",
    # artifacts of a task run by age; deleting a task run
    """create index artifact_task_run on artifact (workspace, task_run_id, created)
        where task_run_id is not null""",
    # artifacts of a type, newest first
    "create index artifact_type on artifact (workspace, type, id) where type is not null",
    # lists by age, by when they changed
    "create index artifact_created on artifact (workspace, created)",
    "create index artifact_updated on artifact (workspace, updated)",
    """create table artifact_collection (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        key {key} not null,
        latest_id {key} not null
    )""",
    # one collection for each key; lists by key
    "create unique index artifact_collection_key on artifact_collection (workspace, key)",
    # whether an artifact is the latest; collections by what their latest is of
    "create unique index artifact_collection_latest on artifact_collection (latest_id)",
    # lists by age, by when they changed
    "create index artifact_collection_created on artifact_collection (workspace, created)",
    "create index artifact_collection_updated on artifact_collection (workspace, updated)",
)
