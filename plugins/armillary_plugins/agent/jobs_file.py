"""Jobs as people write them: on the command line or in a TOML file, checked with line numbers.

::

    [defaults]                 # holds for every job below that does not say otherwise
    timeout = 600

    [jobs.nightly-backup]
    command = "backup.sh --all && touch done"     # a text is for the shell
    cron = "0 3 * * *"

    [jobs.report]
    command = ["report", "--month", "{{ parameters.month }}"]   # a list is taken as it is
    parameters = { month = "05" }
"""

from __future__ import annotations

import difflib
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

Json = Any
Path: TypeAlias = tuple[str, ...]
Places: TypeAlias = Mapping[Path, int]
"""The lines in which tables and keys stand."""
_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[\w-]+)\s*[.=]""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")
_BEFORE_PATH = re.compile(r" - at `\$(?:\.([\w-]+))?")

Whole = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Seconds = Annotated[float, Meta(ge=0)]


class JobsError(ValueError):
    """A file of jobs, or words for one, that cannot be used; the message says where and why."""


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A job: a command, when it runs, and how often it is tried."""

    command: str | list[str]
    cron: str | None = None
    interval: Positive | None = None
    timezone: str | None = None
    retries: Whole | None = None
    retry_delay: Seconds | None = None
    timeout: Positive | None = None
    env: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    working_dir: str | None = None
    pool: str = "local"
    queue: str | None = None
    tags: list[str] = []
    description: str | None = None
    concurrency_limit: Annotated[int, Meta(ge=1)] | None = None
    paused: bool = False


_FIELDS = Spec.__struct_fields__
_TOP = ("defaults", "jobs")


def read(text: str, *, file: str) -> dict[str, Spec]:
    """Read a file's jobs by name; JobsError says in which line what is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{file} is not valid TOML: {error}."
        raise JobsError(message) from error
    places = _places(text)
    _refuse_unknown(document, _TOP, (), places, file=file)
    defaults = _table(document, ("defaults",), places, file=file)
    _refuse_unknown(defaults, _FIELDS, ("defaults",), places, file=file)
    jobs = _table(document, ("jobs",), places, file=file)
    if not jobs:
        message = f"{file} has no jobs: begin one with [jobs.NAME] and give it a command."
        raise JobsError(message)
    specs: dict[str, Spec] = {}
    for name in jobs:
        path = ("jobs", name)
        job = _table(jobs, path, places, file=file)
        _refuse_unknown(job, _FIELDS, path, places, file=file)
        try:
            specs[name] = checked({**defaults, **job})
        except JobsError as error:
            key = getattr(error, "key", None)
            line = places.get((*path, key or ""), places.get(path))
            where = f"{file}, line {line}" if line else file
            message = f"{where}: job {name!r}: {error}"
            raise JobsError(message) from error
    return specs


def checked(given: Mapping[str, Json]) -> Spec:
    """Make a job of what was given; JobsError says what does not do."""
    try:
        spec = msgspec.convert(dict(given), Spec)
    except msgspec.ValidationError as error:
        found = _BEFORE_PATH.search(str(error))
        key = found[1] if found else None
        reason = str(error).partition(" - at ")[0]
        raise _problem(f"{key}: {reason}." if key else f"{reason}.", key) from error
    if not spec.command or spec.command == [""]:
        raise _problem("the command is empty: name a program.", "command")
    if spec.cron is not None and spec.interval is not None:
        raise _problem("it has both cron and interval: take one.", "interval")
    if spec.timezone is not None and spec.cron is None:
        raise _problem("timezone says when a cron fires, and there is no cron.", "timezone")
    return spec


def _problem(message: str, key: str | None) -> JobsError:
    error = JobsError(message)
    error.key = key  # type: ignore[attr-defined]
    return error


def _table(
    of: Mapping[str, Json],
    path: Path,
    places: Places,
    *,
    file: str,
) -> dict[str, Json]:
    found = of.get(path[-1], {})
    if not isinstance(found, dict):
        name = ".".join(path)
        message = f"{_at(file, places, path)}: {name} must be a table, written [{name}]."
        raise JobsError(message)
    return found


def _refuse_unknown(
    table: Mapping[str, Json],
    known: Sequence[str],
    path: Path,
    places: Places,
    *,
    file: str,
) -> None:
    for key in table:
        if key in known:
            continue
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
        where = f"[{'.'.join(path)}] has" if path else "there is"
        message = f"{_at(file, places, (*path, key))}: {where} no {key!r}; {hint}"
        raise JobsError(message)


def _at(file: str, places: Places, path: Path) -> str:
    while path and path not in places:
        path = path[:-1]
    return f"{file}, line {places[path]}" if path else file


def _places(text: str) -> dict[Path, int]:
    """Find the line of each table and key, as far as they stand on lines of their own."""
    places: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = tuple(next(filter(None, part)) for part in _PART.findall(header[1]))
            for length in range(1, len(table) + 1):
                places.setdefault(table[:length], number)
            continue
        key = _KEY.match(line)
        if key:
            places.setdefault((*table, key[1].strip("\"'")), number)
    return places


def deployment_of(name: str, spec: Spec) -> dict[str, Json]:
    """Return what is sent to make or change the deployment, but its flow's id."""
    in_shell = isinstance(spec.command, str)
    command = spec.command if isinstance(spec.command, str) else shlex.join(spec.command)
    variables: dict[str, Json] = {"command": command}
    if in_shell:
        variables["shell"] = True
    for key in ("env", "working_dir", "timeout", "retries", "retry_delay"):
        value = getattr(spec, key)
        if value not in (None, {}):
            variables[key] = value
    return {
        "name": name,
        "work_pool_name": spec.pool,
        "work_queue_name": spec.queue or "default",
        "description": spec.description,
        "tags": spec.tags,
        "parameters": spec.parameters,
        "parameter_openapi_schema": _schema(spec.parameters),
        "enforce_parameter_schema": False,
        "job_variables": variables,
        "concurrency_limit": spec.concurrency_limit,
        "paused": spec.paused,
        "schedules": _schedules(spec),
    }


_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}


def _schema(parameters: Mapping[str, Json]) -> dict[str, Json]:
    """Describe parameters by their defaults, so that a form can ask for them."""
    properties = {
        name: {"title": name, "type": _TYPES.get(type(value), "object"), "default": value}
        for name, value in parameters.items()
    }
    return {"title": "Parameters", "type": "object", "properties": properties}


def _schedules(spec: Spec) -> list[dict[str, Json]]:
    if spec.cron is not None:
        schedule: dict[str, Json] = {"cron": spec.cron, "timezone": spec.timezone or "UTC"}
    elif spec.interval is not None:
        schedule = {"interval": spec.interval}
    else:
        return []
    return [{"schedule": schedule, "active": True}]


_SHOWN = (
    "work_pool_name", "work_queue_name", "description", "tags", "parameters", "concurrency_limit",
    "paused",
)  # fmt: skip


def differences(wanted: Mapping[str, Json], there: Mapping[str, Json] | None) -> list[str]:
    """Say in lines what deploying changes; none where nothing does."""
    before = {} if there is None else _flat(there)
    after = _flat(wanted)
    lines = []
    for key in dict.fromkeys([*after, *before]):
        old, new = before.get(key), after.get(key)
        if old == new or (_nothing(old) and _nothing(new)):
            continue
        if _nothing(old):
            lines.append(f"+ {key} = {_text(new)}")
        elif _nothing(new):
            lines.append(f"- {key} = {_text(old)}")
        else:
            lines.append(f"~ {key} = {_text(old)} → {_text(new)}")
    return lines


def _nothing(value: Json) -> bool:
    return value is None or value in ([], {}, "")


def _flat(deployment: Mapping[str, Json]) -> dict[str, Json]:
    flat = {key: deployment.get(key) for key in _SHOWN}
    flat["work_queue_name"] = flat["work_queue_name"] or "default"
    limit = (deployment.get("global_concurrency_limit") or {}).get("limit")
    flat["concurrency_limit"] = flat["concurrency_limit"] or limit
    flat["paused"] = flat["paused"] or None
    variables = deployment.get("job_variables") or {}
    flat.update({key: value for key, value in variables.items() if value is not None})
    for place, each in enumerate(deployment.get("schedules") or (), 1):
        schedule = each.get("schedule") or {}
        name = "schedule" if place == 1 else f"schedule {place}"
        flat[name] = schedule.get("cron") or schedule.get("interval") or schedule.get("rrule")
        if "cron" in schedule:
            flat[f"{name} timezone"] = schedule.get("timezone") or "UTC"
    return flat


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
