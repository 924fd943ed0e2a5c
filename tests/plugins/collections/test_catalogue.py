"""The worker types that ship inside: complete, sound, and in the shape clients read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from armillary.deployments.job_variables import check_job_template, check_job_variables
from armillary_plugins.collections.catalogue import (
    WorkerType,
    aggregate,
    shipped,
    worker_types,
)

VIEW = json.loads(aggregate(shipped()))
TYPES = worker_types(shipped())
PACKAGES = {
    "prefect": {"process"},
    "prefect-aws": {"ecs"},
    "prefect-azure": {"azure-container-instance"},
    "prefect-docker": {"docker"},
    "prefect-gcp": {"cloud-run", "cloud-run-v2", "vertex-ai"},
    "prefect-kubernetes": {"kubernetes"},
}

each_type = pytest.mark.parametrize("worker", TYPES, ids=lambda worker: worker.type)


def raws(worker: WorkerType) -> dict[str, msgspec.Raw]:
    members = msgspec.structs.asdict(worker.default_base_job_configuration)
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in members.items()}


def test_the_view_is_by_package_and_type() -> None:
    assert {package: set(types) for package, types in VIEW.items()} == PACKAGES


def test_every_entry_has_what_clients_read_and_nothing_else() -> None:
    for types in VIEW.values():
        for name, entry in types.items():
            assert entry["type"] == name
            assert set(entry) == {
                "type",
                "display_name",
                "description",
                "documentation_url",
                "install_command",
                "logo_url",
                "is_beta",
                "default_base_job_configuration",
            }
            template = entry["default_base_job_configuration"]
            assert set(template) == {"job_configuration", "variables"}


@each_type
def test_a_pool_can_be_made_of_it(worker: WorkerType) -> None:
    check_job_template(raws(worker), defaults=True)


@each_type
def test_every_variable_is_used_and_explained(worker: WorkerType) -> None:
    template = worker.default_base_job_configuration
    configuration = json.dumps(template.job_configuration)
    for name, member in template.variables["properties"].items():
        assert f"{{{{ {name} }}}}" in configuration
        assert member["description"].endswith(".")


@each_type
def test_the_usual_variables_of_a_run_fit(worker: WorkerType) -> None:
    values: dict[str, Any] = {"env": {"A": "1"}, "name": "a-run", "command": None}
    layer = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}
    check_job_variables(bytes(raws(worker)["variables"]), layer)


@each_type
def test_references_lead_somewhere(worker: WorkerType) -> None:
    variables = worker.default_base_job_configuration.variables
    for reference in references(variables):
        target: Any = variables
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert isinstance(target, dict)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def test_the_process_worker_takes_its_six_variables() -> None:
    template = VIEW["prefect"]["process"]["default_base_job_configuration"]
    names = ["command", "env", "labels", "name", "stream_output", "working_dir"]
    assert template["job_configuration"] == {name: f"{{{{ {name} }}}}" for name in names}
    properties = template["variables"]["properties"]
    assert sorted(properties) == names
    assert properties["stream_output"]["default"] is True
    assert properties["env"]["type"] == properties["labels"]["type"] == "object"


def test_a_file_that_lacks_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no worker type")
    assert aggregate(tmp_path) == b"{}"
    (tmp_path / "bad.json").write_text('{"type": "bad"}')
    with pytest.raises(msgspec.ValidationError):
        aggregate(tmp_path)
