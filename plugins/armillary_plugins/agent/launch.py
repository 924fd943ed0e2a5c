"""How a process is started: words, environment, folder and what it can read, nothing of it done."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from armillary_plugins.agent.job import Job

_PARAMETER = re.compile(r"\{\{\s*parameters\.([A-Za-z_][\w-]*)\s*\}\}")
_LEFT_OVER = re.compile(r"\{\{.*?\}\}")
_NO_WORD = re.compile(r"\W")
SHELL = "/bin/sh"

Json = Any


class LaunchError(ValueError):
    """A command that cannot be put together; the message says why and what to do."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One process to be."""

    argv: Sequence[str]
    env: Mapping[str, str]
    folder: str | None = None
    """None is an empty folder of its own, which goes with it."""
    stdin: bytes | None = b""
    """None is the agent's own."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told of the run it is for."""

    run_id: str
    run_name: str
    flow_id: str
    flow_name: str
    api_url: str
    agent: str
    attempt: int = 1
    deployment_id: str | None = None
    deployment_name: str | None = None


def command_launch(
    job: Job, parameters: Mapping[str, Json], told: Told, machine: Mapping[str, str]
) -> Launch:
    """Start a plain command: parameters go in as variables, as JSON to read, and in its words."""
    return Launch(
        argv=rendered(job.command or "", parameters, shell=job.shell),
        env=_environment(machine, told, job, parameter_variables(parameters)),
        folder=job.working_dir,
        stdin=msgspec.json.encode(parameters) + b"\n",
    )


def flow_launch(job: Job, python: Sequence[str], told: Told, machine: Mapping[str, str]) -> Launch:
    """Start a flow of the SDK: its engine finds the rest by the run's id."""
    argv = _words(job.command) if job.command else [*python, "-m", "prefect.engine"]
    return Launch(argv=argv, env=_environment(machine, told, job, {}), folder=job.working_dir)


def rendered(command: str, parameters: Mapping[str, Json], *, shell: bool) -> list[str]:
    """Put parameters into a command's words, where none can become several or a command itself.

    Raises LaunchError for a parameter the run does not have.
    """
    if shell:
        return [SHELL, "-c", _filled(command, parameters, quote=True)]
    return [_filled(word, parameters, quote=False) for word in _words(command)]


def _words(command: str) -> list[str]:
    try:
        # A placeholder is one word, however it is spaced.
        words = shlex.split(_PARAMETER.sub(r"{{parameters.\1}}", command))
    except ValueError as error:
        message = f"The command {command!r} cannot be split into words ({error}): close its quotes."
        raise LaunchError(message) from error
    if not words:
        message = "The command is empty: name a program."
        raise LaunchError(message)
    return words


def _filled(text: str, parameters: Mapping[str, Json], *, quote: bool) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            message = (
                f"The command asks for the parameter {name!r}, which the run does not have; it "
                f"has {known}."
            )
            raise LaunchError(message)
        shown = as_text(parameters[name])
        return shlex.quote(shown) if quote else shown

    return _PARAMETER.sub(value, text)


def as_text(value: Json) -> str:
    """Write a parameter as a program reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def parameter_variables(parameters: Mapping[str, Json]) -> dict[str, str]:
    """Name parameters as variables: `PARAMETER_` and the name in capitals."""
    named = {
        f"PARAMETER_{_NO_WORD.sub('_', name).upper()}": as_text(value)
        for name, value in parameters.items()
    }
    return {name: text for name, text in named.items() if "\0" not in text}


_NOT_PASSED_ON = ("ARMILLARY_", "PREFECT__")


def _environment(
    machine: Mapping[str, str], told: Told, job: Job, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Put together what a process sees; the deployment has the last word, null takes away."""
    env = {name: value for name, value in machine.items() if not name.startswith(_NOT_PASSED_ON)}
    said = {
        "PREFECT_API_URL": told.api_url,
        "PREFECT__FLOW_RUN_ID": told.run_id,
        "PREFECT__FLOW_RUN_NAME": told.run_name,
        "PREFECT__FLOW_RUN_ATTEMPT": str(told.attempt),
        "PREFECT__FLOW_ID": told.flow_id,
        "PREFECT__FLOW_NAME": told.flow_name,
        "PREFECT__DEPLOYMENT_ID": told.deployment_id,
        "PREFECT__DEPLOYMENT_NAME": told.deployment_name,
        "PREFECT__WORKER_NAME": told.agent,
    }
    env.update((name, value) for name, value in said.items() if value)
    env.setdefault("PYTHONUNBUFFERED", "1")
    env.update(parameters)
    for name, value in job.env.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


_OF_THE_BUNDLE = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")


def unbundled(machine: Mapping[str, str]) -> dict[str, str]:
    """Take out where a bundled program finds its own libraries, which are not for others."""
    env = dict(machine)
    for name in _OF_THE_BUNDLE:
        before = env.pop(f"{name}_ORIG", None)
        env.pop(name, None)
        if before is not None:
            env[name] = before
    return env


def machine_environment() -> dict[str, str]:
    """What processes inherit: what the binary was started with, not what it made of that."""
    return unbundled(os.environ) if getattr(sys, "frozen", False) else dict(os.environ)
