"""Rows of deployments as what the templates show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.exact_json import read_any
from armillary_plugins.ui.deployment_schemas import (
    DeploymentDetail,
    DeploymentRow,
    DeploymentTwin,
    ParameterRow,
    RunMark,
    ScheduleRow,
)
from armillary_plugins.ui.repository.deployments import LIMIT_FROM
from armillary_plugins.ui.shaping import running
from armillary_web.filters import duration, state_look

_LEAST, _HIGHEST = 5.0, 24.0
_tags = msgspec.json.Decoder(tuple[str, ...]).decode


def run_marks(rows: Sequence[Sequence[Any]], *, now: int) -> tuple[RunMark, ...]:
    """Shape last runs; a bar's height is its share of the longest, by magnitude."""
    taken = [running(row[3], row[6], row[5], row[7], now=now).duration for row in rows]
    longest = max((math.log1p(one) for one in taken if one), default=0.0)
    return tuple(
        _mark(row, one, longest=longest or 1.0) for row, one in zip(rows, taken, strict=True)
    )


def _mark(row: Sequence[Any], taken: float | None, *, longest: float) -> RunMark:
    look = state_look(row[3], row[4])
    height = round(_LEAST + (_HIGHEST - _LEAST) * math.log1p(taken or 0.0) / longest, 1)
    lasted = "" if taken is None else f", {duration(taken)}"
    return RunMark(
        css=look.css,
        word=look.word,
        top=round(_HIGHEST - height, 1),
        height=height,
        title=f"{look.word}: {row[2]}{lasted}",
    )


def _deployment(row: Sequence[Any]) -> dict[str, Any]:
    """Shape what all views of a deployment begin with."""
    return {
        "id": row[0],
        "name": row[1],
        "flow_id": row[2],
        "flow_name": row[3],
        "paused": bool(row[4]),
        "status": row[5],
        "tags": _tags(row[6]),
        "pool": row[7],
        "queue": row[8],
        "next_run": maybe_moment(row[9]),
    }


def deployment_row(
    row: Sequence[Any], *, marks: tuple[RunMark, ...], schedules: Sequence[ScheduleRow]
) -> DeploymentRow:
    """Shape a row of the list."""
    return DeploymentRow(
        **_deployment(row),
        marks=marks,
        schedules=tuple(one.words for one in schedules if one.active),
    )


def deployment_twin(row: DeploymentRow) -> DeploymentTwin:
    """Leave out what only a picture needs."""
    return DeploymentTwin(**{name: getattr(row, name) for name in DeploymentTwin.__struct_fields__})


def command_of(entrypoint: str | None, job_variables: Mapping[str, Any]) -> str | None:
    """What a run of a plain command is; None for a flow of the SDK."""
    command = job_variables.get("command")
    return command if entrypoint is None and isinstance(command, str) else None


def deployment_detail(
    row: Sequence[Any], *, live_path: str, edit_path: str | None, **parts: Any
) -> DeploymentDetail:
    """Shape the row of one deployment."""
    variables = json_object(row[14])
    return DeploymentDetail(
        **_deployment(row),
        description=row[10] or None,
        entrypoint=row[11],
        command=command_of(row[11], variables),
        path=row[12],
        version=row[13],
        job_variables=row[14],
        parameters=parameter_rows(json_object(row[15]), json_object(row[16])),
        enforces=bool(row[17]),
        last_polled=maybe_moment(row[18]),
        created=from_micros(row[19]),
        updated=from_micros(row[20]),
        concurrency_limit=row[LIMIT_FROM + 5] if row[LIMIT_FROM] is not None else None,
        slots_taken=row[LIMIT_FROM + 6] or 0,
        live_path=live_path,
        edit_path=edit_path,
        **parts,
    )


def parameter_rows(given: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[ParameterRow, ...]:
    """Say what runs start with: what the deployment gives, else the flow's defaults."""
    properties = schema.get("properties")
    described = properties if isinstance(properties, dict) else {}
    rows = []
    for name in dict.fromkeys([*described, *given]):
        member = described.get(name)
        member = member if isinstance(member, dict) else {}
        if name in given:
            value, origin = _text(given[name]), "deployment"
        elif "default" in member:
            value, origin = _text(member["default"]), "default"
        else:
            value, origin = "", "each run"
        kind = member.get("type") or member.get("format") or ""
        rows.append(
            ParameterRow(
                name=name,
                kind=kind if isinstance(kind, str) else " or ".join(map(str, kind)),
                value=value,
                origin=origin,
                description=str(member.get("description") or ""),
            )
        )
    return tuple(rows)


def json_object(text: str | None) -> dict[str, Any]:
    """Decode a JSON object; anything else is an empty one."""
    found = read_any(text) if text else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
