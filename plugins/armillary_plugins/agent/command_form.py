"""A job as a form of the browser asks for it: texts, and what is wrong with them.

What is right becomes the same :class:`~armillary_plugins.agent.jobs_file.Spec` that the command
line and TOML files make.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from armillary.deployments.schedules import ScheduleError, parse_schedule
from armillary.forms import Form
from armillary_plugins.agent.jobs_file import JobsError, Spec, checked

Json = Any
_TEXTS = (
    "name", "command", "cron", "interval", "timezone", "retries", "retry_delay", "timeout", "env",
    "parameters", "working_dir", "pool", "queue", "tags", "description", "concurrency_limit",
)  # fmt: skip
_PLAIN = ("cron", "timezone", "working_dir", "pool", "queue", "description")
_WHOLE = ("retries", "concurrency_limit")
_SECONDS = ("interval", "retry_delay", "timeout")


class CommandTexts(msgspec.Struct, frozen=True, kw_only=True):
    """What the form holds, as it was typed."""

    name: str = ""
    command: str = ""
    shell: bool = False
    cron: str = ""
    interval: str = ""
    timezone: str = ""
    retries: str = ""
    retry_delay: str = ""
    timeout: str = ""
    env: str = ""
    parameters: str = ""
    working_dir: str = ""
    pool: str = "local"
    queue: str = ""
    tags: str = ""
    description: str = ""
    concurrency_limit: str = ""
    paused: bool = False


def texts_of_form(form: Form, *, name: str | None = None) -> CommandTexts:
    """Read what was sent; the name of a job that is there already stays."""
    texts = {field: form.get(field).strip() for field in _TEXTS}
    if name is not None:
        texts["name"] = name
    return CommandTexts(
        **texts, shell=form.get("shell") == "yes", paused=form.get("paused") == "yes"
    )


def texts_of(deployment: Mapping[str, Json]) -> CommandTexts:
    """Fill the form in with a deployment as it is."""
    variables = deployment.get("job_variables") or {}
    schedules = deployment.get("schedules") or [{}]
    schedule = schedules[0].get("schedule") or {}
    limit = (deployment.get("global_concurrency_limit") or {}).get("limit")
    given = {field: variables.get(field) for field in ("retries", "retry_delay", "timeout")}
    given |= {field: schedule.get(field) for field in ("cron", "interval")}
    given |= {"concurrency_limit": limit, "description": deployment.get("description")}
    given |= {"working_dir": variables.get("working_dir"), "pool": deployment["work_pool_name"]}
    queue = deployment.get("work_queue_name")
    shell, command = bool(variables.get("shell")), _shown(variables.get("command"))
    return CommandTexts(
        **{field: _shown(value) for field, value in given.items()},
        name=str(deployment["name"]),
        command=command if shell else _written(command),
        shell=shell,
        timezone=_shown(schedule.get("timezone")) if "cron" in schedule else "",
        env=_lines({name: _shown(each) for name, each in (variables.get("env") or {}).items()}),
        parameters=_lines(
            {name: _value(each) for name, each in (deployment.get("parameters") or {}).items()}
        ),
        queue="" if queue == "default" else _shown(queue),
        tags=", ".join(deployment.get("tags") or ()),
        paused=bool(deployment.get("paused")),
    )


def spec_of(texts: CommandTexts, *, now: datetime) -> tuple[Spec | None, dict[str, str]]:
    """Make a job of texts; None with what is wrong, by field, where they do not do."""
    problems: dict[str, str] = {}
    given: dict[str, Json] = {
        field: getattr(texts, field) for field in _PLAIN if getattr(texts, field)
    }
    given["command"] = _command(texts, problems)
    for field in (*_WHOLE, *_SECONDS):
        if text := getattr(texts, field):
            given[field] = _number(field, text, problems)
    given["env"] = _pairs("env", texts.env, problems)
    given["parameters"] = {
        name: _json_or_text(text)
        for name, text in _pairs("parameters", texts.parameters, problems).items()
    }
    given["tags"] = [each.strip() for each in texts.tags.split(",") if each.strip()]
    given["paused"] = texts.paused
    if not texts.name or "/" in texts.name or "%" in texts.name:
        problems["name"] = "Give it a name, without / and %."
    if problems:
        return None, problems
    return _checked(given, now)


def _checked(given: Mapping[str, Json], now: datetime) -> tuple[Spec | None, dict[str, str]]:
    try:
        spec = checked(given)
    except JobsError as error:
        field = getattr(error, "key", None) or "command"
        return None, {field: str(error).removeprefix(f"{field}: ")}
    if spec.cron is not None:
        try:
            schedule = {"cron": spec.cron, "timezone": spec.timezone or "UTC"}
            parse_schedule(msgspec.json.encode(schedule), now=now)
        except ScheduleError as error:
            zone = "zone" in str(error) and spec.timezone is not None
            return None, {"timezone" if zone else "cron": str(error)}
    return spec, {}


def keep_resting(wanted: dict[str, Json], there: Mapping[str, Json]) -> None:
    """Let a schedule that rests do so further: the form says nothing of that."""
    new, old = wanted["schedules"], there.get("schedules") or []
    if len(new) == len(old) == 1:
        new[0]["active"] = bool(old[0].get("active", True))


def _command(texts: CommandTexts, problems: dict[str, str]) -> str | list[str]:
    if texts.shell:
        return texts.command
    try:
        return _with_whole_placeholders(shlex.split(texts.command))
    except ValueError as error:
        problems["command"] = f"{error}: close it, or let a shell read the command."
        return texts.command


def _with_whole_placeholders(words: Sequence[str]) -> list[str]:
    """Put ``{{ parameters.x }}`` together again: its spaces part no words."""
    whole: list[str] = []
    for word in words:
        if whole and whole[-1].count("{{") > whole[-1].count("}}"):
            whole[-1] += f" {word}"
        else:
            whole.append(word)
    return whole


def _written(command: str) -> str:
    """A stored command as a person would write it: quotes only where they are needed."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return " ".join(
        word
        if word and _with_whole_placeholders(word.split(" ")) == [word] and _plain(word)
        else shlex.quote(word)
        for word in words
    )


def _plain(word: str) -> bool:
    try:
        return " ".join(shlex.split(word)) == word
    except ValueError:
        return False


def _number(field: str, text: str, problems: dict[str, str]) -> float | int | None:
    try:
        return int(text) if field in _WHOLE else float(text)
    except ValueError:
        kind = "whole number" if field in _WHOLE else "number of seconds"
        problems[field] = f"{text!r} is no {kind}."
        return None


def _pairs(field: str, text: str, problems: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            problems[field] = f"Line {number}, {line!r}, is no NAME=VALUE."
        found[name.strip()] = value
    return found


def _json_or_text(text: str) -> Json:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _value(value: Json) -> str:
    """A value as it is read again: a text that would be taken for JSON stands in quotes."""
    if isinstance(value, str) and _json_or_text(value) == value and "\n" not in value:
        return value
    return msgspec.json.encode(value).decode()


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
