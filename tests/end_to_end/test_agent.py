"""The agent with real processes: beside the server, over HTTP, killed, and with the real SDK."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.end_to_end.killable import Killable
from tests.end_to_end.programs import Armillary, Prefect, eventually
from tests.servers import PLAIN, armillary_program

SOON = {
    "ARMILLARY_MARK_CRASHED_RUNS_SILENCE": "4",
    "ARMILLARY_MARK_CRASHED_RUNS_INTERVAL": "1",
}
FLOWS = """
    import time
    from prefect import flow, task, get_run_logger

    @task
    def double(number):
        return 2 * number

    @flow(log_prints=True)
    def numbering(count=3):
        print("the total is", sum(double.map(range(count)).result()))

    def hook(flow, flow_run, state):
        get_run_logger().info("cleaned up")

    @flow(on_cancellation=[hook])
    def dozing():
        time.sleep(600)
"""


def ours(*words: str, url: str, code: int = 0) -> str:
    """What a command of ours printed."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
    done = subprocess.run(
        [*armillary_program(), *words],
        env={**environ, "PREFECT_API_URL": url},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


@contextmanager
def agent(folder: Path, url: str, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent of its own, over HTTP."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
    environ |= {
        "ARMILLARY_AGENT_SERVER": url, "ARMILLARY_AGENT_NAME": name,
        "ARMILLARY_AGENT_POOLS": "far",
    }  # fmt: skip
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [*armillary_program(), "start", "--target", "agent", "--home", str(folder / name)],
            stdout=log, stderr=subprocess.STDOUT, env=environ,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_server_runs_flows_of_the_sdk_without_a_worker(
    prefect: Prefect, prefect_python: Path
) -> None:
    prefect.write("my_flows.py", FLOWS)
    variable = f"python={prefect_python}"
    for name in ("numbering", "dozing"):
        prefect.cli(
            "deploy", f"my_flows.py:{name}", "--name", "here", "--pool", "local",
            "--job-variable", variable,
        )  # fmt: skip
    prefect.cli("deployment", "run", "numbering/here", "--param", "count=4")
    run = prefect.ended(prefect.flow_run("numbering")["id"])
    assert run["state_type"] == "COMPLETED"
    prefect.logs(run["id"], "the total is 12")
    assert prefect.states(run) == ["Scheduled", "Pending", "Running", "Completed"]

    prefect.cli("deployment", "run", "dozing/here")
    sleepy = prefect.flow_run("dozing")["id"]
    prefect.reached(sleepy, "RUNNING")
    prefect.cli("flow-run", "cancel", sleepy)
    assert prefect.ended(sleepy)["state_type"] == "CANCELLED"
    prefect.logs(sleepy, "cleaned up")


def test_a_plain_command_is_an_ordinary_deployment_to_the_client(
    prefect: Prefect, armillary: Armillary
) -> None:
    api = f"{armillary.url}/api"
    words = ("--retries", "1", "--param", "who=ada", "--env", "GREETING=hello")
    command = ("sh", "-c", 'echo "$GREETING" "$1"', "x", "{{ parameters.who }}")
    said = ours("deploy", "hail", *words, "--cron", "0 3 * * *", "--", *command, url=api)
    assert said.startswith("hail: new\n")
    assert ours("deploy", "hail", *words, "--cron", "0 3 * * *", "--", *command, url=api) == (
        "hail: unchanged\n"
    )
    assert "hail/hail" in prefect.cli("deployment", "ls")
    prefect.cli("deployment", "inspect", "hail/hail")
    prefect.cli("deployment", "run", "hail/hail", "--param", "who=bob")
    (run,) = [each for each in prefect.flow_runs("hail") if not each["auto_scheduled"]]
    assert prefect.ended(run["id"])["state_type"] == "COMPLETED"
    prefect.logs(run["id"], "hello bob")

    said = ours("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7", url=api, code=7)
    assert "out\n" in said
    assert "err\n" in said
    assert "server" in ours("agent", "status", url=api)


def test_an_agent_over_http_survives_the_server_and_leaves_no_run_behind(
    tmp_path: Path,
) -> None:
    home = Killable(tmp_path, f"sqlite:///{tmp_path / 'armillary.db'}", **SOON)
    pids = tmp_path / "pids"
    with home.running(), agent(tmp_path, home.url, "one") as first:
        pool = {"name": "far", "type": "process"}
        httpx.post(f"{home.url}/work_pools/", json=pool, verify=PLAIN).raise_for_status()
        far = ("--pool", "far")
        slow = ("sh", "-c", "echo begun; sleep 10; echo done")
        ours("deploy", "slow", *far, "--interval", "3600", "--", *slow, url=home.url)
        endless = ("sh", "-c", f"echo $$ > {pids}; sleep 600 & wait")
        begin(home.url, "slow")
        eventually(lambda: state_of(home.url, "slow") == "RUNNING", "a run")
        assert re.search(r"one +[12] of", ours("agent", "status", url=home.url))

        home.kill()
        home.start()
        eventually(lambda: state_of(home.url, "slow") == "COMPLETED", "the end of the run")

        ours("deploy", "endless", *far, "--", *endless, url=home.url)
        begin(home.url, "endless")
        eventually(pids.exists, "the start of the command")
        second_said = tmp_path / "one.log"
        with agent(tmp_path, home.url, "one") as second:
            assert second.wait(30) == 1
        assert "already running" in second_said.read_text()
        first.send_signal(signal.SIGKILL)
        eventually(lambda: state_of(home.url, "endless") == "CRASHED", "the crash")
        pid = int(pids.read_text())
        eventually(lambda: not Path(f"/proc/{pid}").exists() or zombie(pid), "its end")


def begin(url: str, name: str) -> None:
    found = httpx.get(f"{url}/deployments/name/{name}/{name}", verify=PLAIN).json()
    made = f"{url}/deployments/{found['id']}/create_flow_run"
    httpx.post(made, json={}, verify=PLAIN).raise_for_status()


def state_of(url: str, name: str) -> str:
    body = {"flows": {"name": {"any_": [name]}}, "sort": "START_TIME_DESC"}
    runs = httpx.post(f"{url}/flow_runs/filter", json=body, verify=PLAIN).json()
    begun = [run for run in runs if not run["auto_scheduled"]]
    return str(begun[0]["state_type"])


def zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
