"""The tables of deployments, as Piccolo declares them."""

from piccolo.columns import BigInt, Integer, SmallInt, Text
from piccolo.table import Table


class DeploymentTable(Table, tablename="deployment"):
    """A deployment of a flow."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    name = Text()
    flow_id = Text()
    version = Text(null=True)
    description = Text(null=True)
    paused = SmallInt()
    concurrency_limit_id = Text(null=True)
    concurrency_options = Text(null=True)
    job_variables = Text()
    parameters = Text()
    tags = Text()
    labels = Text()
    work_queue_name = Text(null=True)
    work_queue_id = Text(null=True)
    last_polled = BigInt(null=True)
    status = Text()
    parameter_openapi_schema = Text(null=True)
    path = Text(null=True)
    pull_steps = Text(null=True)
    entrypoint = Text(null=True)
    storage_document_id = Text(null=True)
    infrastructure_document_id = Text(null=True)
    enforce_parameter_schema = SmallInt()
    created_by = Text(null=True)
    updated_by = Text(null=True)


class DeploymentScheduleTable(Table, tablename="deployment_schedule"):
    """When a deployment shall run."""

    id = Text(primary_key=True)
    workspace = Integer()
    created = BigInt()
    updated = BigInt()
    deployment_id = Text()
    schedule = Text()
    active = SmallInt()
    max_scheduled_runs = Integer(null=True)
    parameters = Text()
    slug = Text(null=True)
