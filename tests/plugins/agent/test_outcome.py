"""What a process's end means for its run."""

import pytest

from armillary_plugins.agent.outcome import (
    Cause,
    Ended,
    after_command,
    after_flow,
    exit_code,
    is_plain,
)


@pytest.mark.parametrize(
    ("ended", "kind", "says"),
    [
        (Ended(code=0), "COMPLETED", None),
        (Ended(code=3, last_words=("x", "disk full")), "FAILED", "exit code 3: disk full"),
        (Ended(code=-9), "FAILED", "signal SIGKILL, as the system does when memory runs out."),
        (Ended(code=-15, cause="cancelled"), "CANCELLED", "SIGTERM"),
        (Ended(code=-15, cause="timed_out", patience=5), "FAILED", "longer than 5 s"),
        (Ended(code=0, cause="stopped"), "CRASHED", "The agent was stopped"),
    ],
)
def test_a_command_ends_as_its_process_did(ended: Ended, kind: str, says: str | None) -> None:
    wanted = after_command(ended)
    assert wanted is not None
    assert wanted.type == kind
    assert (wanted.message or "").find(says or "") >= 0


def test_of_a_run_that_was_lost_nothing_is_said() -> None:
    ended = Ended(code=0, cause="lost")
    assert after_command(ended) is None
    assert after_flow(ended, "RUNNING") is None


@pytest.mark.parametrize(
    ("state", "cause", "becomes"),
    [
        ("COMPLETED", "itself", None),
        ("CRASHED", "cancelled", None),
        ("PAUSED", "itself", None),
        ("SCHEDULED", "itself", None),
        (None, "itself", None),
        ("RUNNING", "itself", "CRASHED"),
        ("PENDING", "itself", "CRASHED"),
        ("RUNNING", "cancelled", "CANCELLED"),
        ("CANCELLING", "itself", "CANCELLED"),
        ("RUNNING", "timed_out", "CRASHED"),
        ("RUNNING", "stopped", "CRASHED"),
    ],
)
def test_a_flow_says_its_end_itself_as_far_as_it_can(
    state: str | None, cause: Cause, becomes: str | None
) -> None:
    wanted = after_flow(Ended(code=1, cause=cause, patience=5), state)
    assert (wanted and wanted.type) == becomes


def test_a_flow_that_was_to_retry_in_its_process_has_crashed() -> None:
    wanted = after_flow(Ended(code=-9), "SCHEDULED", retried_by_its_process=True)
    assert wanted is not None
    assert wanted.type == "CRASHED"


def test_the_chatter_of_the_sdk_is_no_reason() -> None:
    words = ("ImportError: no x", "10:00:00.000 | INFO    | Flow run 'a' - View at http")
    wanted = after_flow(Ended(code=1, last_words=words), "PENDING")
    assert wanted is not None
    assert wanted.message is not None
    assert wanted.message.endswith("ImportError: no x")


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (Ended(code=7), 7),
        (Ended(code=-15), 143),
        (Ended(code=-15, cause="timed_out"), 124),
    ],
)
def test_exit_codes_are_those_of_shells(ended: Ended, code: int) -> None:
    assert exit_code(ended) == code


def test_a_command_is_plain_where_there_is_no_entrypoint() -> None:
    assert is_plain({"entrypoint": None}, "ls")
    assert not is_plain({"entrypoint": "f.py:f"}, "python -m prefect.engine")
    assert not is_plain(None, "prefect flow-run execute")
    assert not is_plain({"entrypoint": None}, None)
