"""The binary starts on an empty home, where there is no Python, and does what Armillary does."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.binary.conftest import FOLDER, System
from tests.contracts.__main__ import made
from tests.end_to_end.programs import environ_of_prefect, eventually

MEGABYTES = 50
"""What the folder may weigh; packaging/README.md says what it does weigh."""
LEFT_OUT = ("pydantic_core", "tkinter", "libX11", "faker", "black", "testing")
SCRIPT = """
echo "to the output"
echo "to the errors" >&2
echo "library path: ${LD_LIBRARY_PATH-none}, loader: ${_PYI_ARCHIVE_FILE-none}"
"""
FLOW = """
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow
def doubling():
    return sum(double.map(range(3)).result())

assert doubling() == 6
"""


@pytest.fixture
def client(system: System) -> httpx.Client:
    return httpx.Client(base_url=system.url)


def post(client: httpx.Client, path: str, body: object = None) -> Any:
    answer = client.post(f"/api{path}", json=body or {})
    assert answer.is_success, answer.text
    return answer.json()


def test_where_it_runs_there_is_no_python(system: System) -> None:
    if system.entered:
        programs = [path.name for path in (system.root / "bin").iterdir()]
        assert programs == ["sh"]


def test_it_has_made_its_database_and_says_where(system: System) -> None:
    assert "Armillary is running" in system.log()
    assert (system.home / "armillary.db").exists()
    told = system.run("database", "info")
    assert "applied core/m0001_create" in told
    assert "applied logs/m0001_create" in told
    assert "missing" not in told


def test_where_there_is_a_desktop_the_browser_is_opened(system: System) -> None:
    opened = system.home / "opened"
    eventually(opened.exists, "a look by the browser")
    assert opened.read_text() == f"{system.url} without our libraries\n"


def test_a_second_double_click_shows_what_runs(system: System) -> None:
    assert f"Armillary runs already: {system.url}" in system.run()


def test_it_migrates_a_postgres_database_too(system: System, fresh_postgres: str) -> None:
    told = system.run("database", "upgrade", ARMILLARY_DATABASE_URL=fresh_postgres)
    assert "applied events/m0001_create" in told


def test_pages_and_their_files_are_served(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert client.get(style).headers["content-type"].startswith("text/css")
    assert client.get("/patterns").status_code == 200
    assert client.get("/docs/flows").status_code == 200
    assert client.get("/api/collections/views/aggregate-worker-metadata").json()["prefect"]


def test_every_plugin_that_ships_is_in_it(system: System, client: httpx.Client) -> None:
    shipped = Path(__file__).parents[2] / "plugins" / "armillary_plugins"
    names = {path.parent.name for path in shipped.glob("*/__init__.py")}
    lines = system.run("plugins").splitlines()
    assert {line.split()[1] for line in lines if line.startswith("●  ")} == {*names, "moons"}
    assert client.get("/api/ready").json() == {"message": "OK"}


def test_its_agent_runs_a_plain_command_in_the_environment_it_was_given(
    system: System, client: httpx.Client
) -> None:
    system.run("deploy", "greet", "--server", system.url, "--", "/bin/sh", "-c", SCRIPT)
    (deployment,) = post(client, "/deployments/filter")
    run = post(client, f"/deployments/{deployment['id']}/create_flow_run")

    def ended() -> bool:
        state = client.get(f"/api/flow_runs/{run['id']}").json()["state"]
        assert state["type"] not in ("FAILED", "CRASHED"), state
        return bool(state["type"] == "COMPLETED")

    eventually(ended, "the end of the command")
    wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    said = {row["message"].strip(): row["level"] for row in post(client, "/logs/filter", wanted)}
    assert said["to the output"] < said["to the errors"]
    assert "library path: none, loader: none" in said


def test_schedules_know_time_zones_without_those_of_the_system(
    system: System, client: httpx.Client
) -> None:
    system.run(
        "deploy", "early", "--server", system.url, "--cron", "0 3 * * *", "--timezone",
        "Europe/Berlin", "--", "/bin/sh", "-c", ":",
    )  # fmt: skip
    (found,) = post(client, "/deployments/filter", {"deployments": {"name": {"any_": ["early"]}}})
    assert found["schedules"][0]["schedule"]["timezone"] == "Europe/Berlin"


def test_the_sdk_runs_a_flow_against_it(
    system: System, client: httpx.Client, prefect_python: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [str(prefect_python), "-c", FLOW], env=environ_of_prefect(system.url, tmp_path),
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = post(client, "/flow_runs/filter", {"flows": {"name": {"any_": ["doubling"]}}})
    assert run["state_type"] == "COMPLETED"


def test_a_plugin_from_the_folder_in_its_home_may_use_all_of_pythons_library(
    client: httpx.Client,
) -> None:
    assert client.get("/api/moons").json() == "sndhdr"


def test_it_is_not_heavier_than_it_was_and_holds_nothing_that_was_left_out() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < MEGABYTES * 1_000_000
    names = {part for path in files for part in path.relative_to(FOLDER).parts}
    assert not [name for name in names if name.startswith(LEFT_OUT)]


async def test_it_answers_every_operation_of_the_contract(system: System) -> None:
    report = await made(system.url)
    assert report.left == [], report.faults
