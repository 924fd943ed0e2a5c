"""A body in order for every route that takes one, about one workspace's objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.contracts.world import World

Json = Any
Fill = Callable[[World], Json]


def _criteria(world: World) -> dict[str, Json]:
    """Conditions on every kind of object, each of which the world's meet."""
    return {
        "flows": {"id": {"any_": [world.flow]}, "name": {"any_": ["etl"], "like_": "e"}},
        "flow_runs": {
            "id": {"any_": [world.run]},
            "tags": {"all_": ["a"]},
            "start_time": {"before_": "2099-01-01T00:00:00Z", "is_null_": True},
        },
        "task_runs": {"id": {"any_": [world.task]}},
        "deployments": {"id": {"any_": [world.deployment]}, "tags": {"any_": ["t"]}},
    }


def _pools(world: World) -> dict[str, Json]:
    return {**_criteria(world), "work_pools": {"id": {"any_": [world.pool]}}}


def _queues(world: World) -> dict[str, Json]:
    return {**_pools(world), "work_pool_queues": {"id": {"any_": [world.queue]}}}


def _artifact(_: World) -> Json:
    """What can be changed of an artifact."""
    return {"data": {"a": [1]}, "description": "d", "metadata_": {"m": "1"}}


def _part(criteria: Fill, **more: Json) -> Fill:
    return lambda world: {**criteria(world), "limit": 10, **more}


def _artifacts(world: World) -> dict[str, Json]:
    return {
        **_criteria(world),
        "artifacts": {
            "id": {"any_": [world.artifact]}, "key": {"any_": ["k"], "like_": "k"},
            "flow_run_id": {"any_": [world.run]}, "task_run_id": {"any_": [world.task]},
            "type": {"not_any_": ["result"]},
        },
    }  # fmt: skip


def _latest(world: World) -> dict[str, Json]:
    return {
        "artifacts": {"latest_id": {"any_": [world.artifact]}, "key": {"exists_": True}},
        "flow_runs": {"id": {"any_": [world.run]}},
    }


def _blocks(world: World) -> dict[str, Json]:
    return {
        "block_types": {"name": {"like_": "c"}, "slug": {"any_": ["creds"]}},
        "block_schemas": {
            "block_type_id": {"any_": [world.block_type]}, "id": {"any_": [world.block_schema]},
            "block_capabilities": {"all_": ["sing"]}, "version": {"any_": ["1"]},
        },
        "block_documents": {
            "id": {"any_": [world.block]}, "is_anonymous": {"eq_": False},
            "block_type_id": {"any_": [world.block_type]},
            "name": {"any_": ["mine"], "like_": "m"},
        },
    }  # fmt: skip


_SPAN = {
    "history_start": "2026-01-01T00:00:00Z",
    "history_end": "2026-01-02T00:00:00Z",
    "history_interval_seconds": 3600,
}
_REGION = {"__prefect_kind": "workspace_variable", "variable_name": "region"}
_STATE = {
    "type": "PENDING",
    "name": "Pending",
    "message": "m",
    "state_details": {"retriable": True},
}
_SCHEDULE = {"schedule": {"cron": "0 0 * * *", "timezone": "UTC"}, "slug": "new", "parameters": {}}
_TEMPLATE = {"job_configuration": {}, "variables": {"type": "object", "properties": {}}}
_EVENTS = {"occurred": {"since": "2025-12-31T00:00:00Z", "until": "2026-01-02T00:00:00Z"}}


def _variables(world: World) -> Json:
    return {
        "variables": {
            "id": {"any_": [world.variable]}, "name": {"any_": ["region"], "like_": "r"},
            "tags": {"all_": ["t"], "is_null_": False},
        },
    }  # fmt: skip


def _new_run(_: World) -> Json:
    return {
        "state": {**_STATE, "type": "SCHEDULED"}, "name": "n", "parameters": {"a": 1},
        "context": {"c": [1]},
        "empirical_policy": {"retries": 1, "retry_delay": 2}, "tags": ["a"], "labels": {"l": 1.5},
        "idempotency_key": "k", "job_variables": {"env": {}},
    }  # fmt: skip


def _new_task_run(world: World) -> Json:
    return {
        "state": _STATE, "name": "n", "flow_run_id": world.run, "task_key": "k",
        "dynamic_key": "d", "cache_key": "c", "cache_expiration": "2099-01-01T00:00:00Z",
        "empirical_policy": {"retries": 1, "retry_delay": [1.5], "retry_jitter_factor": 0.5},
        "tags": ["t"], "labels": {"l": True},
        "task_inputs": {"x": [{"input_type": "task_run", "id": world.task}]},
    }  # fmt: skip


def _deployment_fields(_: World) -> dict[str, Json]:
    return {
        "version": "1", "description": "d", "paused": False, "concurrency_limit": 3,
        "concurrency_options": {"collision_strategy": "ENQUEUE", "grace_period_seconds": 60},
        "parameters": {"a": 1}, "parameter_openapi_schema": {"type": "object"},
        "enforce_parameter_schema": False, "tags": ["t"], "pull_steps": [{"x": {}}],
        "work_pool_name": "pool", "work_queue_name": "fast", "path": "/p", "entrypoint": "f.py:f",
        "job_variables": {"env": {}},
    }  # fmt: skip


def _automation(world: World) -> dict[str, Json]:
    event = {
        "type": "event", "match": {"prefect.resource.id": f"prefect.flow-run.{world.run}"},
        "match_related": [{"a": ["b"]}], "expect": ["e"], "posture": "Proactive", "within": 60.0,
    }  # fmt: skip
    return {
        "name": "new", "enabled": True, "tags": ["t"],
        "trigger": {"type": "compound", "triggers": [event], "within": "PT1M", "require": 1},
        "actions": [
            {
                "type": "run-deployment", "deployment_id": world.deployment, "schedule_after": 60,
                "parameters": {"a": "{{ event.id }}"}, "job_variables": {"env": {}},
            },
            {"type": "call-webhook", "block_document_id": world.flow, "payload": {"a": 1}},
        ],
    }  # fmt: skip


def _automations(world: World) -> Json:
    return {
        "automations": {
            "operator": "and_", "id": {"any_": [world.automation]}, "name": {"any_": ["watch"]},
            "created": {"before_": "2099-01-01T00:00:00Z"}, "tags": {"all_": ["t"]},
        }
    }  # fmt: skip


BODIES: dict[str, Fill] = {
    "PUT /admin/storage": lambda w: {"default_result_storage_block_id": w.block},
    "POST /flows/": lambda _: {"name": "new", "tags": ["a"], "labels": {"l": 1}},
    "PATCH /flows/{id}": lambda _: {"tags": ["b"]},
    "POST /flows/filter": _part(_pools, offset=0, sort="NAME_ASC"),
    "POST /flows/paginate": _part(_pools, page=1, sort="NAME_ASC"),
    "POST /flows/count": _pools,
    "POST /flows/bulk_delete": _part(lambda w: {"flows": {"id": {"any_": [w.flow]}}}),
    "POST /flow_runs/": lambda w: {
        **_new_run(w), "flow_id": w.flow, "deployment_id": w.deployment,
        "parent_task_run_id": w.task, "work_pool_name": "pool", "work_queue_name": "fast",
    },
    "POST /flow_runs/{id}/set_state": lambda _: {"state": _STATE, "force": True},
    "POST /flow_runs/{id}/resume": lambda _: {"run_input": {"a": 1}},
    "PATCH /flow_runs/{id}": lambda _: {
        "name": "n", "flow_version": "2", "parameters": {"a": 2}, "tags": ["b"],
        "empirical_policy": {"retries": 2, "pause_keys": ["k"]}, "infrastructure_pid": "7",
    },
    "PATCH /flow_runs/{id}/labels": lambda _: {"l": 2},
    "POST /flow_runs/{id}/input": lambda _: {"key": "new", "value": "1", "sender": "s"},
    "POST /flow_runs/{id}/input/filter": lambda _: {
        "prefix": "k", "limit": 1, "exclude_keys": ["x"],
    },
    "POST /flow_runs/filter": _part(_queues, offset=0, sort="ID_DESC"),
    "POST /flow_runs/paginate": _part(_queues, page=1, sort="ID_DESC"),
    "POST /flow_runs/count": _queues,
    "POST /flow_runs/lateness": _queues,
    "POST /flow_runs/history": lambda w: {**_criteria(w), **_SPAN},
    "POST /flow_runs/bulk_delete": _part(lambda w: {"flow_runs": {"id": {"any_": [w.run]}}}),
    "POST /flow_runs/bulk_set_state": _part(
        lambda w: {"flow_runs": {"id": {"any_": [w.run]}}, "state": _STATE, "force": True}
    ),
    "POST /task_runs/": _new_task_run,
    "PATCH /task_runs/{id}": lambda _: {"name": "n"},
    "POST /task_runs/{id}/set_state": lambda _: {"state": _STATE, "force": True},
    "POST /task_runs/filter": _part(_criteria, offset=0, sort="ID_DESC"),
    "POST /task_runs/paginate": _part(_criteria, page=1, sort="ID_DESC"),
    "POST /task_runs/count": _criteria,
    "POST /ui/flow_runs/history": _part(_pools, offset=0, sort="ID_DESC"),
    "POST /ui/flow_runs/count-task-runs": lambda w: {"flow_run_ids": [w.run]},
    "POST /ui/flows/count-deployments": lambda w: {"flow_ids": [w.flow]},
    "POST /ui/flows/next-runs": lambda w: {"flow_ids": [w.flow]},
    "POST /ui/task_runs/count": _criteria,
    "POST /ui/task_runs/dashboard/counts": lambda w: {
        **_pools(w), "work_queues": {"id": {"any_": [w.queue]}},
        "task_runs": {"start_time": {"after_": "2026-01-01T11:00:00Z"}},
    },
    "POST /task_workers/filter": lambda _: {"task_worker_filter": {"task_keys": ["t"]}},
    "POST /task_runs/history": lambda w: {**_criteria(w), **_SPAN},
    "POST /deployments/": lambda w: {
        **_deployment_fields(w), "name": "new", "flow_id": w.flow, "labels": {"l": "x"},
        "schedules": [_SCHEDULE, {"schedule": {"interval": 3600}}],
    },
    "PATCH /deployments/{id}": _deployment_fields,
    "POST /deployments/{id}/schedules": lambda _: [{**_SCHEDULE, "slug": "newer"}],
    "PATCH /deployments/{id}/schedules/{schedule_id}": lambda _: {
        **_SCHEDULE, "slug": "newest", "active": True, "max_scheduled_runs": 3,
    },
    "POST /deployments/{id}/schedule": lambda _: {
        "start_time": "2026-01-01T12:00:00Z", "end_time": "2026-01-02T12:00:00Z",
        "min_time": 60.0, "min_runs": 1, "max_runs": 2,
    },
    "POST /deployments/{id}/create_flow_run": lambda w: {
        **_new_run(w), "parent_task_run_id": w.task, "enforce_parameter_schema": False,
        "parameters": {"where": _REGION},
    },
    "POST /deployments/{id}/create_flow_run/bulk": lambda w: [
        {**_new_run(w), "idempotency_key": "bulk"}, {}
    ],
    "POST /deployments/get_scheduled_flow_runs": lambda w: {
        "deployment_ids": [w.deployment], "scheduled_before": "2099-01-01T00:00:00Z", "limit": 1,
    },
    "POST /deployments/filter": _part(_queues, offset=0, sort="NAME_ASC"),
    "POST /deployments/paginate": _part(_queues, page=1, sort="NAME_ASC"),
    "POST /deployments/count": _queues,
    "POST /deployments/bulk_delete": _part(
        lambda w: {"deployments": {"id": {"any_": [w.deployment]}}}
    ),
    "POST /work_pools/": lambda _: {
        "name": "new", "type": "process", "description": "d", "is_paused": False,
        "concurrency_limit": 2, "base_job_template": _TEMPLATE,
        "storage_configuration": {"bundle_upload_step": {"a": 1}},
    },
    "PATCH /work_pools/{name}": lambda _: {
        "description": "d", "is_paused": False, "concurrency_limit": 2,
        "base_job_template": _TEMPLATE,
    },
    "POST /work_pools/{name}/get_scheduled_flow_runs": lambda _: {
        "work_queue_names": ["fast"], "scheduled_before": "2099-01-01T00:00:00Z",
        "scheduled_after": "2025-01-01T00:00:00Z", "limit": 1,
    },
    "POST /work_pools/{name}/concurrency_status": lambda _: {
        "page": 1, "limit": 5, "flow_run_limit": 3,
    },
    "POST /work_pools/{work_pool_name}/queues": lambda w: {
        "name": "new", "description": "d", "concurrency_limit": 1, "priority": 1,
        "filter": {"tags": ["a"], "deployment_ids": [w.deployment]},
    },
    "PATCH /work_pools/{work_pool_name}/queues/{name}": lambda _: {
        "description": "d", "is_paused": False, "concurrency_limit": 1, "priority": 1,
        "last_polled": "2026-01-01T12:00:00Z",
    },
    "POST /work_queues/": lambda w: {
        "name": "newest", "description": "d", "concurrency_limit": 1, "priority": 3,
        "filter": {"tags": ["a"], "deployment_ids": [w.deployment]},
    },
    "PATCH /work_queues/{id}": lambda _: {
        "description": "d", "is_paused": False, "concurrency_limit": 1, "priority": 1,
        "last_polled": "2026-01-01T12:00:00Z", "filter": {"tags": ["a"]},
    },
    "POST /work_queues/{id}/get_runs": lambda _: {
        "limit": 1, "scheduled_before": "2099-01-01T00:00:00Z", "agent_id": None,
    },
    "POST /work_queues/{id}/concurrency_status": lambda _: {"page": 1, "limit": 5},
    "POST /work_pools/{work_pool_name}/workers/heartbeat": lambda _: {
        "name": "w", "heartbeat_interval_seconds": 30,
    },
    "POST /agents/heartbeat": lambda w: {
        "name": "a", "session": w.flow, "host": "h", "pid": 1, "pools": ["pool"], "slots": 1,
        "claiming": [{"id": w.run, "claim": w.flow}],
        "runs": [{"id": w.run, "claim": w.flow, "process": 2}],
    },
    "POST /work_pools/filter": lambda w: {
        "work_pools": {"id": {"any_": [w.pool]}, "name": {"any_": ["pool"]}},
        "limit": 5, "offset": 0,
    },
    "POST /work_pools/count": lambda w: {"work_pools": {"id": {"any_": [w.pool]}}},
    "POST /work_pools/{work_pool_name}/queues/filter": lambda w: {
        "work_queues": {"id": {"any_": [w.queue]}, "name": {"startswith_": ["f"]}},
        "limit": 5, "offset": 0,
    },
    "POST /work_queues/filter": lambda w: {
        "work_queues": {"id": {"any_": [w.queue]}}, "limit": 5, "offset": 0,
    },
    "POST /work_pools/{work_pool_name}/workers/filter": lambda _: {
        "workers": {"status": {"any_": ["ONLINE"]}}, "limit": 5, "offset": 0,
    },
    "POST /v2/concurrency_limits/": lambda _: {
        "name": "new", "limit": 3, "active": True, "active_slots": 0, "denied_slots": 0,
        "slot_decay_per_second": 0.5,
    },
    "POST /v2/concurrency_limits/filter": lambda _: {"limit": 5, "offset": 0},
    "PATCH /v2/concurrency_limits/{id_or_name}": lambda _: {
        "limit": 6, "active": True, "active_slots": 1, "denied_slots": 0,
        "slot_decay_per_second": 0.5,
    },
    "POST /v2/concurrency_limits/increment": lambda _: {
        "slots": 1, "names": ["slots"], "mode": "concurrency",
    },
    "POST /v2/concurrency_limits/increment-with-lease": lambda w: {
        "slots": 1, "names": ["slots"], "mode": "concurrency", "lease_duration": 100.0,
        "holder": {"type": "flow_run", "id": w.run},
    },
    "POST /v2/concurrency_limits/decrement": lambda _: {
        "slots": 1, "names": ["slots"], "occupancy_seconds": 1.5,
    },
    "POST /v2/concurrency_limits/decrement-with-lease": lambda w: {"lease_id": w.lease},
    "POST /v2/concurrency_limits/leases/{lease_id}/renew": lambda _: {"lease_duration": 90.0},
    "POST /concurrency_limits/": lambda _: {"tag": "new", "concurrency_limit": 2},
    "POST /concurrency_limits/filter": lambda _: {"limit": 5, "offset": 0},
    "POST /concurrency_limits/tag/{tag}/reset": lambda w: {"slot_override": [w.task]},
    "POST /concurrency_limits/increment": lambda w: {"names": ["t"], "task_run_id": w.task},
    "POST /concurrency_limits/decrement": lambda w: {"names": ["t"], "task_run_id": w.task},
    "POST /variables/": lambda _: {"name": "new", "value": {"a": [1]}, "tags": ["t"]},
    "PATCH /variables/{id}": lambda _: {"name": "region", "value": [2], "tags": ["t"]},
    "PATCH /variables/name/{name}": lambda _: {"name": "region", "value": None, "tags": []},
    "POST /variables/filter": lambda w: {**_variables(w), "limit": 5, "offset": 0},
    "POST /variables/count": _variables,
    "PUT /saved_searches/": lambda _: {
        "name": "new",
        "filters": [
            {"object": "o", "property": "p", "type": "t", "operation": "=", "value": [1]},
        ],
    },
    "POST /saved_searches/filter": lambda _: {"limit": 5, "offset": 0},
    "POST /ui/schemas/validate": lambda _: {
        "schema": {"type": "object", "properties": {"where": {"type": "integer"}}},
        "values": {"where": _REGION},
    },
    "POST /events": lambda w: [
        {
            "occurred": "2026-01-01T11:00:00Z", "event": "e", "id": w.event,
            "resource": {"prefect.resource.id": f"prefect.flow-run.{w.run}"},
            "related": [{"prefect.resource.id": "r", "prefect.resource.role": "x"}],
            "payload": {"p": 1}, "follows": None,
        }
    ],
    "POST /events/filter": lambda w: {
        "filter": {
            **_EVENTS, "event": {"prefix": ["e"]}, "order": "ASC",
            "resource": {"id": [f"prefect.flow-run.{w.run}"], "labels": {"a": ["!b"]}},
            "any_resource": {"id_prefix": ["prefect"]}, "text": {"query": "e"},
        },
        "limit": 5,
    },
    "POST /events/count-by/{countable}": lambda _: {
        "filter": _EVENTS, "time_unit": "hour", "time_interval": 2.0,
    },
    "POST /artifacts/": lambda w: {
        **_artifact(w), "key": "k", "type": "table", "flow_run_id": w.run, "task_run_id": w.task,
    },
    "PATCH /artifacts/{id}": _artifact,
    "POST /artifacts/filter": _part(_artifacts, offset=0, sort="KEY_ASC"),
    "POST /artifacts/count": _artifacts,
    "POST /artifacts/latest/filter": _part(_latest, offset=0, sort="KEY_DESC"),
    "POST /artifacts/latest/count": _latest,
    "POST /automations/": lambda w: {**_automation(w), "owner_resource": w.deployment},
    "PUT /automations/{id}": lambda w: {
        "name": "n", "trigger": {"posture": "Reactive"},
        "actions": [{"type": "pause-work-pool", "work_pool_id": w.pool}],
    },
    "PATCH /automations/{id}": lambda _: {"enabled": False},
    "POST /automations/filter": _part(_automations, offset=0, sort="NAME_ASC"),
    "POST /automations/count": _automations,
    "POST /automations/templates/validate": lambda _: "{{ flow_run.name }}",
    "POST /templates/validate": lambda _: "{{ flow_run.name }}",
    "POST /jobs/filter": lambda _: {"queues": ["none"], "states": ["dead"], "limit": 5},
    "POST /block_types/": lambda _: {
        "name": "New", "slug": "new", "logo_url": "http://l", "documentation_url": "http://d",
        "description": "d", "code_example": "c",
    },
    "PATCH /block_types/{id}": lambda _: {
        "logo_url": "http://l", "documentation_url": "http://d", "description": "e",
        "code_example": "c",
    },
    "POST /block_types/filter": lambda w: {**_blocks(w), "limit": 5, "offset": 0},
    "POST /block_schemas/": lambda w: {
        "block_type_id": w.block_type, "capabilities": ["x"], "version": "2",
        "fields": {
            "title": "New", "type": "object", "properties": {"a": {"$ref": "#/definitions/Creds"}},
            "block_type_slug": "creds", "secret_fields": ["p.*"],
            "block_schema_references": {
                "a": {"block_type_slug": "creds", "block_schema_checksum": "sha256:x"},
            },
            "definitions": {"Creds": {"title": "Creds", "block_type_slug": "creds"}},
        },
    },
    "POST /block_schemas/filter": lambda w: {**_blocks(w), "limit": 5, "offset": 0},
    "POST /block_documents/": lambda w: {
        "name": "new", "block_type_id": w.block_type, "block_schema_id": w.block_schema,
        "data": {"x": 1, "in": {"$ref": {"block_document_id": w.block}}}, "is_anonymous": False,
    },
    "PATCH /block_documents/{id}": lambda w: {
        "block_schema_id": w.block_schema, "data": {"x": 2, "p": "********"},
        "merge_existing_data": True,
    },
    "POST /block_documents/filter": lambda w: {
        **_blocks(w), "include_secrets": True, "sort": "BLOCK_TYPE_AND_NAME_ASC", "limit": 5,
        "offset": 0,
    },
    "POST /block_documents/count": _blocks,
    "POST /logs/": lambda w: [
        {
            "name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T12:00:00Z",
            "flow_run_id": w.run, "task_run_id": w.task,
        }
    ],
    "POST /logs/filter": lambda w: {
        "logs": {
            "level": {"ge_": 0}, "timestamp": {"before_": "2099-01-01T00:00:00Z"},
            "flow_run_id": {"any_": [w.run]}, "task_run_id": {"any_": [w.task]},
            "text": {"query": "m"},
        },
        "limit": 5, "offset": 0, "sort": "TIMESTAMP_ASC",
    },
}  # fmt: skip
