"""Creates the core's tables.

Times are microseconds since the epoch, ids canonical text, booleans 0 or 1, documents JSON text.
Every index names the query it serves.
"""

STATEMENTS = (
    """create table workspace (
        key integer not null primary key,
        id {key} not null unique,
        account_id {key} not null,
        name text not null,
        handle text not null,
        created bigint not null
    )""",
    """insert into workspace (key, id, account_id, name, handle, created) values
        (1, '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000000',
         'Default', 'default', 0)""",
    """create table configuration (
        workspace integer not null,
        name {key} not null,
        value text not null,
        updated bigint not null,
        primary key (workspace, name)
    )""",
    # The outbox is read in the order of (tx, id): see events/outbox.py.
    """create table outbox (
        id {serial},
        tx bigint not null default 0,
        topic text not null,
        workspace integer not null,
        event_id text not null,
        body text not null
    )""",
    # reading on from a place (on SQLite tx is always 0, and the index stays empty)
    "create index outbox_arrival on outbox (tx, id) where tx > 0",
    """create table consumer_position (
        consumer {key} not null primary key,
        tx bigint not null,
        id bigint not null,
        updated bigint not null
    )""",
    """create table service_lease (
        service {key} not null primary key,
        holder text not null,
        expires bigint not null
    )""",
    """create table service_turn (
        service {key} not null primary key,
        taken bigint not null
    )""",
    """create table server_process (
        id {key} not null primary key,
        targets text not null,
        seen bigint not null
    )""",
    """create table flow (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        tags text not null,
        labels text not null
    )""",
    # one flow per name; lists by name
    "create unique index flow_name on flow (workspace, name)",
    # lists by age
    "create index flow_created on flow (workspace, created)",
    """create table flow_run (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name text not null,
        flow_id {key} not null,
        state_id {key},
        state_type text,
        state_name text,
        state_timestamp bigint,
        deployment_id {key},
        deployment_version text,
        work_queue_id {key},
        work_queue_name text,
        flow_version text,
        idempotency_key {key},
        parent_task_run_id {key},
        schedule_id {key},
        run_count integer not null,
        expected_start_time bigint,
        next_scheduled_start_time bigint,
        start_time bigint,
        end_time bigint,
        total_run_time double precision not null,
        auto_scheduled smallint not null,
        retry_type text,
        infrastructure_document_id {key},
        infrastructure_pid text,
        empirical_policy text not null,
        parameters text not null,
        context text not null,
        tags text not null,
        labels text not null,
        job_variables text,
        created_by text
    )""",
    # create: the same key gives the same run
    """create unique index flow_run_idempotency on flow_run (flow_id, idempotency_key)
        where idempotency_key is not null""",
    # lists and pages by time, newest or oldest first
    """create index flow_run_expected on flow_run (workspace, expected_start_time)""",
    """create index flow_run_started
        on flow_run (workspace, coalesce(start_time, expected_start_time))""",
    # runs of a flow, newest first; deleting a flow
    "create index flow_run_flow on flow_run (flow_id, expected_start_time)",
    # lists of what waits, runs or went wrong, however rare it is; the condition stands word for
    # word in flow_runs/selecting.py
    """create index flow_run_notable on flow_run (workspace, state_type, expected_start_time)
        where state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'FAILED', 'CRASHED', 'CANCELLED',
            'CANCELLING', 'PAUSED')""",
    # runs of a queue or pool, newest first; deleting a queue
    """create index flow_run_queue on flow_run (work_queue_id, expected_start_time)
        where work_queue_id is not null""",
    # worker polling
    """create index flow_run_queue_due on flow_run (work_queue_id, next_scheduled_start_time)
        where state_type = 'SCHEDULED' and work_queue_id is not null""",
    # slots taken of a queue and its pool
    """create index flow_run_queue_active on flow_run (work_queue_id)
        where state_type in ('RUNNING', 'PENDING', 'CANCELLING') and work_queue_id is not null""",
    # runner polling, and deleting what is scheduled of a deployment
    """create index flow_run_deployment_due
        on flow_run (deployment_id, next_scheduled_start_time)
        where state_type = 'SCHEDULED' and deployment_id is not null""",
    # what a schedule has ahead of it
    """create index flow_run_schedule_due on flow_run (schedule_id, next_scheduled_start_time)
        where state_type = 'SCHEDULED' and schedule_id is not null""",
    # runs of a deployment, newest first
    """create index flow_run_deployment on flow_run (deployment_id, expected_start_time)
        where deployment_id is not null""",
    # subflows of a task run
    """create index flow_run_parent on flow_run (parent_task_run_id)
        where parent_task_run_id is not null""",
    # services: runs that are not marked late yet, across workspaces
    """create index flow_run_due on flow_run (next_scheduled_start_time)
        where state_type = 'SCHEDULED' and state_name = 'Scheduled'""",
    # services: pauses that expire, cancellations under way, cancelled parents
    "create index flow_run_paused on flow_run (id) where state_type = 'PAUSED'",
    "create index flow_run_cancelling on flow_run (id) where state_type = 'CANCELLING'",
    "create index flow_run_cancelled on flow_run (end_time) where state_type = 'CANCELLED'",
    """create table flow_run_state (
        id {key} not null primary key,
        flow_run_id {key} not null,
        type text not null,
        name text not null,
        timestamp bigint not null,
        message text,
        data text,
        details text not null
    ) {clustered}""",
    # history of a run
    "create unique index flow_run_state_run on flow_run_state (flow_run_id, timestamp)",
    # filters by tag, newest first: the tag drives, the run is joined
    """create table flow_run_tag (
        workspace integer not null,
        tag {key} not null,
        expected_start_time bigint not null,
        flow_run_id {key} not null,
        primary key (workspace, tag, expected_start_time, flow_run_id)
    ) {clustered}""",
    # deleting a run, replacing its tags
    "create index flow_run_tag_run on flow_run_tag (flow_run_id)",
    """create table flow_run_input (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        flow_run_id {key} not null,
        key {key} not null,
        value text not null,
        sender text
    )""",
    # inputs of a run by key
    "create unique index flow_run_input_key on flow_run_input (flow_run_id, key)",
    """create table task_run (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name text not null,
        flow_run_id {key},
        task_key {key} not null,
        dynamic_key {key} not null,
        cache_key text,
        cache_expiration bigint,
        task_version text,
        state_id {key},
        state_type text,
        state_name text,
        state_timestamp bigint,
        run_count integer not null,
        flow_run_run_count integer not null,
        expected_start_time bigint,
        next_scheduled_start_time bigint,
        start_time bigint,
        end_time bigint,
        total_run_time double precision not null,
        empirical_policy text not null,
        task_inputs text not null,
        tags text not null,
        labels text not null
    )""",
    # create and record: one run per natural key; task runs of a flow run
    """create unique index task_run_natural on task_run (flow_run_id, task_key, dynamic_key)
        where flow_run_id is not null""",
    # create: background task runs by their keys
    """create index task_run_background on task_run (workspace, task_key, dynamic_key)
        where flow_run_id is null""",
    # lists by time
    "create index task_run_expected on task_run (workspace, expected_start_time)",
    "create index task_run_started on task_run (workspace, start_time)",
    # lists of what went wrong; the condition stands word for word in task_runs/reading.py
    """create index task_run_notable on task_run (workspace, state_type, expected_start_time)
        where state_type in ('FAILED', 'CRASHED', 'CANCELLED')""",
    """create table task_run_state (
        id {key} not null primary key,
        task_run_id {key} not null,
        type text not null,
        name text not null,
        timestamp bigint not null,
        message text,
        data text,
        details text not null
    ) {clustered}""",
    # history of a task run
    "create index task_run_state_run on task_run_state (task_run_id, timestamp)",
    """create table task_run_state_cache (
        id {serial},
        workspace integer not null,
        cache_key {key} not null,
        cache_expiration bigint,
        task_run_state_id {key} not null,
        created bigint not null
    )""",
    # the newest cached state of a key
    "create index task_run_state_cache_key on task_run_state_cache (workspace, cache_key, created)",
    """create table deployment (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        flow_id {key} not null,
        version text,
        description text,
        paused smallint not null,
        concurrency_limit_id {key},
        concurrency_options text,
        job_variables text not null,
        parameters text not null,
        tags text not null,
        labels text not null,
        work_queue_name text,
        work_queue_id {key},
        last_polled bigint,
        status text not null,
        parameter_openapi_schema text,
        path text,
        pull_steps text,
        entrypoint text,
        storage_document_id {key},
        infrastructure_document_id {key},
        enforce_parameter_schema smallint not null,
        created_by text,
        updated_by text
    )""",
    # one deployment per flow and name; deployments of a flow
    "create unique index deployment_name on deployment (flow_id, name)",
    # lists by name, by age
    "create index deployment_list on deployment (workspace, name)",
    "create index deployment_updated on deployment (workspace, updated)",
    # the recent scheduler
    "create index deployment_recent on deployment (updated)",
    # deployments of a queue; of a limit; those whose polling may have ended
    "create index deployment_queue on deployment (work_queue_id) where work_queue_id is not null",
    """create index deployment_limit on deployment (concurrency_limit_id)
        where concurrency_limit_id is not null""",
    "create index deployment_ready on deployment (last_polled) where status = 'READY'",
    """create table deployment_schedule (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        deployment_id {key} not null,
        schedule text not null,
        active smallint not null,
        max_scheduled_runs integer,
        parameters text not null,
        slug {key}
    )""",
    # schedules of a deployment
    "create index deployment_schedule_deployment on deployment_schedule (deployment_id, updated)",
    """create unique index deployment_schedule_slug on deployment_schedule (deployment_id, slug)
        where slug is not null""",
    """create table work_pool (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        description text,
        type text not null,
        base_job_template text not null,
        is_paused smallint not null,
        concurrency_limit integer,
        default_queue_id {key},
        status text,
        storage_configuration text not null,
        last_transitioned_status_at bigint,
        last_status_event_id {key}
    )""",
    "create unique index work_pool_name on work_pool (workspace, name)",
    """create table work_queue (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        description text not null,
        is_paused smallint not null,
        concurrency_limit integer,
        priority integer not null,
        work_pool_id {key} not null,
        filter text,
        last_polled bigint,
        status text not null
    )""",
    "create unique index work_queue_name on work_queue (work_pool_id, name)",
    # queues whose polling may have ended
    "create index work_queue_ready on work_queue (last_polled) where status = 'READY'",
    """create table worker (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        work_pool_id {key} not null,
        last_heartbeat_time bigint not null,
        heartbeat_interval_seconds integer,
        status text not null
    )""",
    "create unique index worker_name on worker (work_pool_id, name)",
    # workers that may have gone
    "create index worker_online on worker (last_heartbeat_time) where status = 'ONLINE'",
    # `updated` is when active_slots and denied_slots were last true: decay counts from there
    """create table concurrency_limit (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        active smallint not null,
        slot_limit integer not null,
        active_slots integer not null,
        denied_slots integer not null,
        slot_decay_per_second double precision not null,
        avg_slot_occupancy_seconds double precision not null
    )""",
    "create unique index concurrency_limit_name on concurrency_limit (workspace, name)",
    """create table concurrency_lease (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        expires bigint not null,
        lasts bigint not null,
        slots integer not null,
        holder_type text,
        holder_id {key}
    )""",
    # the repossessor
    "create index concurrency_lease_expires on concurrency_lease (expires)",
    # leases of a holder
    """create index concurrency_lease_holder on concurrency_lease (holder_id)
        where holder_id is not null""",
    """create table concurrency_lease_limit (
        limit_id {key} not null,
        lease_id {key} not null,
        primary key (limit_id, lease_id)
    ) {clustered}""",
    # limits of a lease
    "create index concurrency_lease_limit_lease on concurrency_lease_limit (lease_id)",
)
