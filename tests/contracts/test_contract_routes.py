"""Every route clients know is served, under the same parameters and with the same answers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

Operations = dict[tuple[str, str], dict[str, Any]]

CONTRACT = Path(__file__).parent / "prefect-3.8-api.json"
UPSERTS = {
    "/block_schemas/",
    "/concurrency_limits/",
    "/deployments/",
    "/deployments/{id}/create_flow_run",
    "/flow_runs/",
    "/flow_runs/{id}/resume",
    "/flow_runs/{id}/set_state",
    "/flows/",
    "/saved_searches/",
    "/task_runs/",
    "/task_runs/{id}/set_state",
}
"""They answer 200 for what was there and 201 for what is new; the contract names only one."""
EMPTY = {"/automations/templates/validate", "/templates/validate"}
"""They answer 204 where the contract, but nobody who speaks it, says 200."""
CREATED = {"/artifacts/"}
"""They make something new each time and answer 201; the contract names the framework's 200."""
LATER = """
"""
"""What later versions will serve.  This list only ever shrinks."""


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    return {"plugins.disable": ("ui",)}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'armillary.db'}"


@pytest.fixture
async def served(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def operations(paths: Mapping[str, Any], *, mount: str = "") -> Operations:
    return {
        (method, path.removeprefix(mount)): operation
        for path, found in paths.items()
        for method, operation in found.items()
    }


def agreed() -> Operations:
    return operations(msgspec.json.decode(CONTRACT.read_bytes())["paths"])


def later() -> set[tuple[str, str]]:
    lines = [line.split() for line in LATER.strip().splitlines()]
    return {(method.lower(), path) for method, path in lines}


def path_parameters(operation: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}


def query_parameters(operation: Mapping[str, Any]) -> dict[str, bool]:
    """Each by its name, and whether it has to be given."""
    given = operation.get("parameters", ())
    return {each["name"]: each.get("required", False) for each in given if each["in"] == "query"}


def successes(operation: Mapping[str, Any]) -> set[str]:
    return {status for status in operation["responses"] if status.startswith("2")}


async def test_every_agreed_route_is_served_but_those_of_later(served: dict[str, Any]) -> None:
    here = operations(served["paths"], mount="/api")
    assert agreed().keys() - here.keys() == later()


@pytest.mark.snapshots
async def test_what_is_served_beyond_the_contract_is_recorded(
    served: dict[str, Any], snapshot: Callable[[str, str], None]
) -> None:
    here = operations(served["paths"], mount="/api")
    beyond = sorted((path, method.upper()) for method, path in here.keys() - agreed().keys())
    snapshot("beyond_the_contract.txt", "".join(f"{method} {path}\n" for path, method in beyond))


async def test_parameters_and_successes_are_the_agreed_ones(served: dict[str, Any]) -> None:
    here = operations(served["paths"], mount="/api")
    for place, operation in agreed().items():
        if place not in here:
            continue
        method, path = place
        expected = successes(operation)
        if method in {"post", "put"} and path in UPSERTS | CREATED:
            expected = {"201"} if path in CREATED else expected | {"200", "201"}
        expected = {"204"} if path in EMPTY else expected
        assert successes(here[place]) == expected, place
        assert path_parameters(here[place]) == path_parameters(operation), place
        assert query_parameters(here[place]) == query_parameters(operation), place


async def test_operations_tell_what_they_refuse(served: dict[str, Any]) -> None:
    here = operations(served["paths"], mount="/api")
    told = {
        place: {each for each in operation["responses"] if each >= "400"}
        for place, operation in here.items()
    }
    assert told["get", "/health"] == {"400", "413"}
    assert told["get", "/flows/{id}"] == {"400", "403", "404", "413", "503"}
    assert told["get", "/flow_run_states/"] == {"400", "403", "413", "422", "503"}
    assert told["post", "/flows/count"] == {"400", "403", "413", "422", "503"}
    assert told["post", "/variables/"] == {"400", "403", "409", "413", "422", "503"}
    shared = served["components"]["responses"]
    for operation in here.values():
        for answer in operation["responses"].values():
            assert "$ref" not in answer or answer["$ref"].rpartition("/")[2] in shared


@pytest.mark.docs
def test_the_readme_says_how_many_are_served(
    generated_part: Callable[[Path, str, str], None],
) -> None:
    every, missing = len(agreed()), len(later())
    text = f"{every - missing} of the {every} routes of Prefect's contract are served."
    generated_part(CONTRACT.parents[2] / "README.md", "routes", text)


@pytest.mark.snapshots
async def test_the_document_is_recorded(
    served: dict[str, Any], snapshot: Callable[[str, str], None]
) -> None:
    text = msgspec.json.format(msgspec.json.encode(served), indent=1).decode()
    snapshot("openapi.json", text + "\n")


async def test_every_reference_leads_somewhere_and_every_component_is_used(
    served: dict[str, Any],
) -> None:
    text = msgspec.json.encode(served).decode()
    names = set(served["components"]["schemas"])
    beginning = '"$ref":"#/components/schemas/'
    used = {part.partition('"')[0] for part in text.split(beginning)[1:]}
    assert used == names


async def test_operations_have_a_sentence_and_an_id_of_their_own(served: dict[str, Any]) -> None:
    found = list(operations(served["paths"]).values())
    assert [each for each in found if not each["summary"]] == []
    ids = [each["operationId"] for each in found]
    assert len(ids) == len(set(ids))
