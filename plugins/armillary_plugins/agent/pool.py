"""The pool `local`: what its deployments may say about how their runs are started."""

from __future__ import annotations

from typing import Any

LOCAL = "local"


def _variable(title: str, description: str, kind: str, **more: object) -> dict[str, object]:
    return {
        "title": title,
        "description": description,
        "anyOf": [{"type": kind, **more}, {"type": "null"}],
        "default": None,
    }


def local_pool() -> dict[str, Any]:
    """Return the request that makes it."""
    properties: dict[str, Any] = {
        "command": _variable(
            "Command",
            "The command of a run. Where the deployment has no entrypoint it is run as it is, and "
            "{{ parameters.name }} in it stands for a parameter; a flow of the SDK needs none.",
            "string",
        ),
        "shell": {
            "title": "Shell",
            "description": "Whether the command is for a shell: with pipes, &&, variables.",
            "type": "boolean",
            "default": False,
        },
        "env": {
            "title": "Environment Variables",
            "description": "Environment variables that a run starts with.",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "working_dir": _variable(
            "Working Directory",
            "The folder a run is started in; without one, an empty folder that goes with it.",
            "string",
        ),
        "timeout": _variable(
            "Timeout", "Seconds a run may take; then it is ended.", "number", exclusiveMinimum=0
        ),
        "retries": _variable(
            "Retries", "How often a command that failed is tried again.", "integer", minimum=0
        ),
        "retry_delay": _variable(
            "Retry Delay", "Seconds until a command is tried again.", "number", minimum=0
        ),
        "python": _variable(
            "Python", "The Python that runs a flow; it must be able to import Prefect.", "string"
        ),
        "name": _variable("Name", "What the infrastructure of a run is called.", "string"),
        "labels": {
            "title": "Labels",
            "description": "Labels of the infrastructure of a run.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "stream_output": {
            "title": "Stream Output",
            "description": "Whether what a run writes becomes part of its log.",
            "type": "boolean",
            "default": True,
        },
    }
    return {
        "name": LOCAL,
        "type": "process",
        "description": "Runs on the machine of the server, by its own agent.",
        "base_job_template": {
            "job_configuration": {name: f"{{{{ {name} }}}}" for name in properties},
            "variables": {"type": "object", "properties": properties},
        },
    }
