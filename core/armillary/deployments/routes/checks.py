"""The route that tells whether values that somebody fills in would do."""

from __future__ import annotations

from typing import Any

import msgspec

from armillary.api import Answer, Body, Call, Routes
from armillary.deployments.hydration import HydrationError
from armillary.errors import Invalid, Refused

routes = Routes(tag="Checks")


class CheckValues(Body):
    """Values, and the JSON schema they are to fit."""

    schema: dict[str, msgspec.Raw]
    values: dict[str, msgspec.Raw]


class CheckedValues(msgspec.Struct, frozen=True):
    """What is wrong with values: texts, or objects of ``property`` or ``index`` and ``errors``."""

    errors: list[Any]
    valid: bool


@routes.post("/ui/schemas/validate", scope="see_flows", answers={200: CheckedValues})
async def check_values(call: Call, body: CheckValues) -> Answer:
    """Tell what of values does not fit a schema; templates in them are not rendered."""
    from armillary.deployments.json_schema import (  # noqa: PLC0415 - loaded where it is used
        CircularSchema,
        SchemaMismatch,
        error_tree,
    )

    try:
        values = await call.core.variables.hydrate_for_form(call.read(), body.values)
        return Answer.json(error_tree(values, msgspec.json.encode(body.schema)))
    except HydrationError as error:
        raise Invalid(str(error), loc=("body", "values")) from error
    except CircularSchema as error:
        raise Refused(422, f"Invalid schema: {error}") from error
    except SchemaMismatch as error:
        raise Refused(422, str(error)) from error
