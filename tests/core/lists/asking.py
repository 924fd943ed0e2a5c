"""Random filters as clients send them, with names of rows for ids."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from tests.core.lists import world as w

Filter = st.SearchStrategy[dict[str, Any]]


def some_of(**fields: st.SearchStrategy[Any]) -> Filter:
    """An object with one to three of these members, null at times: more would match nothing."""
    known = {**fields, "unknown": st.just(1)}
    members = st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True)
    return members.flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: known[name] | known[name] | known[name] | st.none() for name in chosen}
        )
    )


def several(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, max_size=2)


def when(moment: int) -> str:
    return datetime.fromtimestamp(w.instant(moment) / 1e6, UTC).isoformat()


operator = st.sampled_from(["and_", "or_"])
flag = st.booleans()
texts = st.sampled_from(["", "al", "ALPHA", "b%", "_", "ta", "\\"])
times = some_of(before_=w.moments.map(when), after_=w.moments.map(when))
times_or_null = some_of(before_=w.moments.map(when), after_=w.moments.map(when), is_null_=flag)
name = some_of(any_=several(w.names), like_=texts)
tags_all = some_of(operator=operator, all_=several(st.sampled_from(w.TAGS)), is_null_=flag)
tags_any = some_of(
    operator=operator,
    all_=several(st.sampled_from(w.TAGS)),
    any_=several(st.sampled_from(w.TAGS)),
    is_null_=flag,
)


def choice(kind: str) -> Filter:
    return some_of(any_=several(w.ids(kind)), not_any_=several(w.ids(kind)))


FLOW_FIELDS: dict[str, Filter] = dict(  # noqa: C408 - as some_of takes them
    id=choice("flow"),
    deployment=some_of(is_null_=flag),
    name=name,
    tags=tags_all,
)
flows = some_of(operator=operator, **FLOW_FIELDS)
deployments = some_of(
    operator=operator,
    id=choice("deployment"),
    name=name,
    flow_or_deployment_name=some_of(like_=texts),
    paused=some_of(eq_=flag),
    tags=tags_any,
    work_queue_name=some_of(any_=several(w.names)),
    concurrency_limit=some_of(ge_=st.just(1), is_null_=flag),
)
work_pools = some_of(
    operator=operator,
    id=some_of(any_=several(w.ids("pool"))),
    name=some_of(any_=several(w.names)),
    type=some_of(any_=several(st.sampled_from(["process", "docker"]))),
)
work_pool_queues = some_of(
    operator=operator,
    id=some_of(any_=several(w.ids("queue"))),
    name=some_of(any_=several(w.names), startswith_=several(st.sampled_from(["A", "b", "%"]))),
)
FLOW_RUN_FIELDS: dict[str, Filter] = dict(  # noqa: C408 - as some_of takes them
    id=choice("run"),
    name=name,
    tags=tags_any,
    deployment_id=some_of(operator=operator, any_=several(w.ids("deployment")), is_null_=flag),
    work_queue_name=some_of(operator=operator, any_=several(w.names), is_null_=flag),
    state=some_of(
        operator=operator,
        type=some_of(any_=several(w.state_types), not_any_=several(w.state_types)),
        name=some_of(any_=several(w.state_names), not_any_=several(w.state_names)),
    ),
    flow_version=some_of(any_=several(st.sampled_from(["1", "2"]))),
    start_time=times_or_null,
    end_time=times_or_null,
    expected_start_time=times,
    next_scheduled_start_time=times,
    parent_flow_run_id=some_of(any_=several(w.ids("run"))),
    parent_task_run_id=some_of(operator=operator, any_=several(w.ids("task")), is_null_=flag),
    idempotency_key=some_of(any_=several(w.ids("run")), not_any_=several(w.ids("run"))),
    created_by=some_of(
        operator=operator,
        id_=several(w.ids("deployment")),
        type_=several(st.sampled_from(["SCHEDULE", "AUTOMATION"])),
        is_null_=flag,
    ),
)
flow_runs = some_of(operator=operator, **FLOW_RUN_FIELDS)
TASK_RUN_FIELDS: dict[str, Filter] = dict(  # noqa: C408 - as some_of takes them
    id=some_of(any_=several(w.ids("task"))),
    name=name,
    tags=tags_all,
    state=some_of(
        operator=operator,
        type=some_of(any_=several(w.state_types)),
        name=some_of(any_=several(w.state_names)),
    ),
    start_time=times_or_null,
    end_time=times_or_null,
    expected_start_time=times,
    subflow_runs=some_of(exists_=flag),
    flow_run_id=some_of(any_=several(w.ids("run")), is_null_=flag),
)
task_runs = some_of(operator=operator, **TASK_RUN_FIELDS)

ABOUT_FLOWS = some_of(
    flows=flows,
    flow_runs=flow_runs,
    task_runs=task_runs,
    deployments=deployments,
    work_pools=work_pools,
)
ABOUT_FLOW_RUNS = some_of(
    flows=flows,
    flow_runs=flow_runs,
    task_runs=task_runs,
    deployments=deployments,
    work_pools=work_pools,
    work_pool_queues=work_pool_queues,
)
ABOUT_TASK_RUNS = some_of(
    flows=flows, flow_runs=flow_runs, task_runs=task_runs, deployments=deployments
)
