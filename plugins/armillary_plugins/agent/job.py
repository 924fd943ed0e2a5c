"""What a run asks for: its pool's template, filled in by its deployment and by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-\[\]$]+)\s*\}\}")
_WHOLE = re.compile(r"\s*\{\{\s*([\w.\-\[\]$]+)\s*\}\}\s*")
_ABSENT = object()

Json = Any


class JobError(ValueError):
    """Job variables that cannot be made sense of; the message names the variable."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """How the process of a run is started, and how long it may take."""

    command: str | None = None
    shell: bool = False
    env: Mapping[str, str | None] = {}
    working_dir: str | None = None
    timeout: float | None = None
    retries: int | None = None
    retry_delay: float | None = None
    python: str | None = None
    stream_output: bool = True


def job_of(
    template: Mapping[str, Json], deployment: Mapping[str, Json], run: Mapping[str, Json]
) -> Job:
    """Fill a pool's template in, as workers do; JobError names what does not do."""
    variables = template.get("variables") or {}
    properties = variables.get("properties") or {}
    defaults = {
        name: each["default"]
        for name, each in properties.items()
        if isinstance(each, dict) and each.get("default") is not None
    }
    given = _merged(deployment, run)
    values = {**defaults, **given}
    if isinstance(defaults.get("env"), dict) and isinstance(given.get("env"), dict):
        values["env"] = {**defaults["env"], **given["env"]}
    configuration = template.get("job_configuration") or {}
    filled = {name: _filled(each, values) for name, each in configuration.items()}
    # What a template does not pass on is taken as it was given: not every pool knows our words.
    found = {name: filled.get(name, values.get(name, _ABSENT)) for name in Job.__struct_fields__}
    named = {name: value for name, value in found.items() if value not in (_ABSENT, None, "")}
    return _checked(named)


def _merged(deployment: Mapping[str, Json], run: Mapping[str, Json]) -> dict[str, Json]:
    """Lay a run's variables over its deployment's; the environments are put together."""
    merged: dict[str, Json] = {}
    for layer in (deployment, run):
        for name, value in layer.items():
            if name.startswith("env.") and name != "env.":
                merged["env"] = {**(merged.get("env") or {}), name[4:]: value}
            elif name == "env" and isinstance(value, dict):
                merged["env"] = {**(merged.get("env") or {}), **value}
            else:
                merged[name] = value
    return merged


def _filled(value: Json, values: Mapping[str, Json]) -> Json:
    if isinstance(value, dict):
        filled = {name: _filled(each, values) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each is not _ABSENT}
    if isinstance(value, list):
        return [each for each in (_filled(one, values) for one in value) if each is not _ABSENT]
    if not isinstance(value, str):
        return value
    whole = _WHOLE.fullmatch(value)
    if whole is not None:
        return values.get(whole[1], _ABSENT)
    return _PLACEHOLDER.sub(lambda found: _as_text(values.get(found[1], "")), value)


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _checked(named: dict[str, Json]) -> Job:
    env = named.get("env")
    if isinstance(env, dict):
        named["env"] = {
            str(name): None if value is None else _as_text(value) for name, value in env.items()
        }
    try:
        job = msgspec.convert(named, Job, strict=False)
    except msgspec.ValidationError as error:
        message = f"The job variables cannot be used: {error}."
        raise JobError(message) from error
    if job.timeout is not None and job.timeout <= 0:
        message = f"The job variable timeout must be more than 0 seconds; it is {job.timeout:g}."
        raise JobError(message)
    return job
