"""How commands are put together: parameters go in, and nothing of them comes out as a command."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary_plugins.agent.job import Job, JobError, job_of
from armillary_plugins.agent.launch import (
    LaunchError,
    Told,
    command_launch,
    flow_launch,
    rendered,
    unbundled,
)
from armillary_plugins.agent.pool import local_pool

TOLD = Told(
    run_id="r", run_name="calm-owl", flow_id="f", flow_name="etl", api_url="http://h/api",
    agent="a", attempt=2, deployment_name="nightly",
)  # fmt: skip
TEMPLATE = local_pool()["base_job_template"]


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("backup.sh --all 'my files'", ["backup.sh", "--all", "my files"]),
        ("report {{ parameters.month }}", ["report", "05; rm -rf /"]),
        ("report --to={{parameters.month}}.txt", ["report", "--to=05; rm -rf /.txt"]),
        ("show {{ parameters.n }} {{ parameters.list }}", ["show", "3", '[1,"a"]']),
    ],
)
def test_a_parameter_is_one_word_whatever_it_holds(command: str, argv: list[str]) -> None:
    parameters = {"month": "05; rm -rf /", "n": 3, "list": [1, "a"]}
    assert rendered(command, parameters, shell=False) == argv


@given(st.text(alphabet=st.characters(exclude_characters="\0")))
def test_a_shell_reads_a_parameter_as_one_word(value: str) -> None:
    _, _, line = rendered("echo {{ parameters.x }}", {"x": value}, shell=True)  # noqa: S604
    assert shlex.split(line) == ["echo", value]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("echo {{ parameters.month }}", "the parameter 'month', which the run does not have"),
        ("echo 'open", "close its quotes"),
        ("   ", "The command is empty"),
    ],
)
def test_what_cannot_be_put_together_says_why(command: str, says: str) -> None:
    with pytest.raises(LaunchError, match=says):
        rendered(command, {"year": 1}, shell=False)


def test_a_command_gets_its_parameters_three_ways() -> None:
    job = Job(command="x {{ parameters.day_of }}", env={"A": "1", "HOME": None})
    machine = {"HOME": "/root", "ARMILLARY_DATABASE_URL": "secret", "PATH": "/bin"}
    launch = command_launch(job, {"day_of": "Mon", "n": 2}, TOLD, machine)
    assert launch.argv == ["x", "Mon"]
    assert launch.stdin == b'{"day_of":"Mon","n":2}\n'
    env = dict(launch.env)
    assert (env["PARAMETER_DAY_OF"], env["PARAMETER_N"], env["A"]) == ("Mon", "2", "1")
    assert (env["PREFECT__FLOW_RUN_ID"], env["PREFECT__FLOW_RUN_ATTEMPT"]) == ("r", "2")
    assert env["PREFECT_API_URL"] == "http://h/api"
    assert "HOME" not in env, "null takes a variable away"
    assert "ARMILLARY_DATABASE_URL" not in env, "what the server is set by is nobody's business"


def test_a_flow_is_run_by_its_engine_unless_it_names_a_command() -> None:
    assert flow_launch(Job(), ["python3"], TOLD, {}).argv == ["python3", "-m", "prefect.engine"]
    own = Job(command="uv run prefect flow-run execute")
    assert flow_launch(own, ["python3"], TOLD, {}).argv[0] == "uv"


def test_a_run_has_the_last_word_and_environments_are_put_together() -> None:
    deployment = {"command": "a", "env": {"X": "1", "Y": "1"}, "timeout": 10, "env.Z": "1"}
    job = job_of(TEMPLATE, deployment, {"env": {"Y": "2"}, "timeout": 20})
    assert job.env == {"X": "1", "Y": "2", "Z": "1"}
    assert (job.command, job.timeout, job.shell) == ("a", 20, False)


def test_a_pool_that_knows_less_passes_on_what_is_given() -> None:
    template = {
        "job_configuration": {"command": "{{ command }}", "env": {"P": "{{ name }}!"}},
        "variables": {"properties": {"name": {"default": "n"}}},
    }
    job = job_of(template, {"command": "a", "retries": 2}, {})
    assert (job.command, job.retries, job.env) == ("a", 2, {"P": "n!"})


@pytest.mark.parametrize("variables", [{"timeout": "soon"}, {"timeout": -1}, {"env": [1]}])
def test_job_variables_that_make_no_sense_are_named(variables: dict[str, object]) -> None:
    with pytest.raises(JobError, match=next(iter(variables))):
        job_of(TEMPLATE, variables, {})


def test_what_a_bundle_loads_from_is_not_for_its_commands() -> None:
    bundled = {"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/usr/x", "A": "1"}
    assert unbundled(bundled) == {"LD_LIBRARY_PATH": "/usr/x", "A": "1"}
    assert unbundled({"LD_LIBRARY_PATH": "/bundle"}) == {}
