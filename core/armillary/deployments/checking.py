"""Checks of parameters and job variables, at each moment they are given."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.db.unit import Reader
from armillary.deployments.blocks import Blocks, Data
from armillary.deployments.hydration import HydrationError
from armillary.deployments.job_variables import (
    BlockMissing,
    JobVariableError,
    check_job_variables,
    variables_of,
)
from armillary.deployments.parameters import ParameterError, check_parameters, check_size
from armillary.deployments.schemas import CreateDeployment, UpdateDeployment
from armillary.deployments.variables import Variables
from armillary.errors import Conflict, Invalid, NotFound, Refused

_STORED = """
select parameters, parameter_openapi_schema, enforce_parameter_schema, job_variables
from deployment where id = ? and workspace = ?
"""
_TEMPLATE = "select base_job_template from work_pool where workspace = ? and name = ?"


def sized(parameters: Mapping[str, msgspec.Raw]) -> str:
    """Encode parameters; Invalid where they are larger than is stored."""
    try:
        return check_size(parameters).decode()
    except ParameterError as error:
        raise Invalid(str(error), loc=("body", "parameters")) from error


def created_parameters(new: CreateDeployment) -> str:
    """Check the parameters of a deployment to be made; what is required may be missing."""
    given = new.parameters if isinstance(new.parameters, dict) else {}
    text = sized(given)
    schema = object_schema(bytes(new.parameter_openapi_schema))
    if new.enforce_parameter_schema is True and schema is not None:
        try:
            check_parameters(given, schema, ignore_required=True)
        except ParameterError as error:
            raise Invalid(str(error), loc=("body", "parameters")) from error
    return text


async def patched_parameters(
    reader: Reader, variables: Variables, deployment_id: str, changes: UpdateDeployment
) -> str | None:
    """Hydrate and check parameters that replace a deployment's; None where none are given."""
    if not isinstance(changes.parameters, dict):
        return None
    row = await reader.one(_STORED, deployment_id, reader.workspace)
    if row is None:
        message = "Deployment not found."
        raise NotFound(message)
    hydrated = await hydrated_parameters(
        reader, variables, changes.parameters, doing="updating deployment"
    )
    enforce = changes.enforce_parameter_schema
    if enforce is True or (not isinstance(enforce, bool) and row[2]):
        given = bytes(changes.parameter_openapi_schema)
        schema = object_schema(given) if given else object_schema((row[1] or "").encode())
        enforce_schema(hydrated, schema, doing="Error updating deployment", ignore_required=True)
    return sized(hydrated)


async def hydrated_parameters(
    reader: Reader, variables: Variables, parameters: Mapping[str, msgspec.Raw], *, doing: str
) -> dict[str, msgspec.Raw]:
    """Replace what stands for other values; Refused (400) where that cannot be done."""
    try:
        return await variables.hydrate(reader, parameters)
    except HydrationError as error:
        raise Refused(400, f"Error {doing}: {error}") from error


def enforce_schema(
    parameters: Mapping[str, msgspec.Raw],
    schema: bytes | None,
    *,
    doing: str,
    ignore_required: bool = False,
) -> None:
    """Hold parameters against a schema: Conflict where they do not fit, Invalid if endless."""
    if schema is None:
        return
    try:
        check_parameters(parameters, schema, ignore_required=ignore_required)
    except ParameterError as error:
        if error.circular:
            raise Invalid(str(error), loc=("body", "parameter_openapi_schema")) from error
        raise Conflict(f"{doing}: {error}") from error


def object_schema(text: bytes) -> bytes | None:
    """Return a schema there is something in; None for none."""
    stripped = text.strip()
    return None if stripped in (b"", b"null", b"{}") else stripped


async def check_new_job_variables(reader: Reader, blocks: Blocks, new: CreateDeployment) -> None:
    """Check a new deployment's job variables against its pool; Invalid where they do not fit."""
    given, pool = new.job_variables, new.work_pool_name
    if isinstance(given, dict) and given and isinstance(pool, str):
        variables = await template_of(reader, pool)
        behind = await blocks.behind(reader, variables)
        _fit(variables, given, doing="Error creating deployment", blocks=behind)


async def check_patched_job_variables(
    reader: Reader, blocks: Blocks, deployment_id: str, changes: UpdateDeployment
) -> None:
    """Check job variables where a change names the pool; Conflict where they do not fit."""
    if not isinstance(changes.work_pool_name, str):
        return
    given = changes.job_variables
    if not isinstance(given, dict):
        row = await reader.one(_STORED, deployment_id, reader.workspace)
        given = _decode(row[3]) if row is not None else {}
    if given:
        try:
            template = await template_of(reader, changes.work_pool_name)
            behind = await blocks.behind(reader, template)
            _fit(template, given, doing="Error updating deployment", blocks=behind)
        except Invalid as error:
            raise Conflict(str(error)) from error


def check_run_job_variables(
    template: bytes | None, *layers: Mapping[str, msgspec.Raw] | None, blocks: Data | None = None
) -> None:
    """Check a run's job variables, the required ones as well; Invalid where they do not fit."""
    _fit(template, *layers, doing="Error creating flow run", require=True, blocks=blocks)


async def template_of(reader: Reader, pool: str) -> bytes | None:
    """Read the schema of the variables of a pool's job template."""
    found = await reader.value(_TEMPLATE, reader.workspace, pool)
    return None if found is None else variables_of(found.encode())


def _fit(
    variables: bytes | None,
    *layers: Mapping[str, msgspec.Raw] | None,
    doing: str,
    require: bool = False,
    blocks: Data | None = None,
) -> None:
    if variables is None:
        return
    try:
        check_job_variables(variables, *layers, require=require, blocks=blocks)
    except JobVariableError as error:
        raise Unfit(f"{doing}: {error}") from error
    except BlockMissing as error:
        raise NotFound(str(error)) from error


class Unfit(Invalid):
    """Job variables that do not fit their pool: 422 with ``detail``."""

    @property
    def body(self) -> dict[str, object]:
        """The shape with ``detail``, which clients print."""
        return {"detail": str(self)}


def _decode(text: str) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
