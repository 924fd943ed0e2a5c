"""The catalogue of worker types: one JSON file each, read into the view that clients know."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

VIEW = "aggregate-worker-metadata"


class JobTemplate(msgspec.Struct, frozen=True):
    """What a pool of the type starts with: what a job looks like, and what of it can be chosen."""

    job_configuration: dict[str, Any]
    variables: dict[str, Any]


class WorkerType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of worker, as its file describes it; ``package`` is the one that brings it."""

    package: str
    type: str
    display_name: str
    description: str
    documentation_url: str
    install_command: str
    logo_url: str
    is_beta: bool
    default_base_job_configuration: JobTemplate


def worker_types(folder: Traversable) -> list[WorkerType]:
    """The worker types whose files lie in a folder, by package and type."""
    paths = [path for path in folder.iterdir() if path.name.endswith(".json")]
    found = [msgspec.json.decode(path.read_bytes(), type=WorkerType) for path in paths]
    return sorted(found, key=lambda worker: (worker.package, worker.type))


def aggregate(folder: Traversable) -> bytes:
    """The view of all worker types: package, then type, then what is known of it."""
    view: dict[str, dict[str, dict[str, object]]] = {}
    for worker in worker_types(folder):
        members = msgspec.structs.asdict(worker)
        view.setdefault(members.pop("package"), {})[worker.type] = members
    return msgspec.json.encode(view)


def shipped() -> Traversable:
    """The folder of the worker types that ship with Armillary."""
    return files("armillary_plugins.collections") / "worker_types"
