"""Files of jobs: what they say, and in which line they are wrong."""

import pytest

from armillary_plugins.agent.jobs_file import (
    JobsError,
    checked,
    deployment_of,
    differences,
    read,
)

GOOD = """
[defaults]
timeout = 600

[jobs.nightly-backup]
command = "backup.sh && touch done"
cron = "0 3 * * *"

[jobs."weekly report"]
command = ["report", "--to", "{{ parameters.to }}"]
timeout = 60
parameters = { to = "me", n = 3 }
[jobs."weekly report".env]
A = "1"
"""


def test_a_text_is_for_the_shell_and_a_list_is_not() -> None:
    backup, report = read(GOOD, file="j").items()
    assert backup[0] == "nightly-backup"
    made = deployment_of(*backup)
    assert made["job_variables"] == {
        "command": "backup.sh && touch done", "shell": True, "timeout": 600,
    }  # fmt: skip
    assert made["schedules"] == [
        {"schedule": {"cron": "0 3 * * *", "timezone": "UTC"}, "active": True}
    ]
    made = deployment_of(*report)
    assert made["job_variables"] == {
        "command": "report --to '{{ parameters.to }}'", "env": {"A": "1"}, "timeout": 60,
    }  # fmt: skip
    assert made["parameter_openapi_schema"]["properties"]["n"]["type"] == "integer"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [", "not valid TOML"),
        ("", "has no jobs"),
        ("[job.a]\ncommand = 'x'", "line 1: there is no 'job'; did you mean 'jobs'"),
        ("\n[jobs.a]\ncommand = 'x'\nretrys = 1", "line 4: .*did you mean 'retries'"),
        ("[defaults]\ntimout = 1\n[jobs.a]\ncommand='x'", "line 2: .*did you mean 'timeout'"),
        ("[jobs.a]\ncommand = 'x'\nretries = 'many'", "line 3: job 'a': retries: "),
        ("[jobs.a]\ncommand = 'x'\nretries = -1", "line 3: job 'a': retries: "),
        ("[jobs.a]\ncron = '* * * * *'", "line 1: job 'a': .*command"),
        ("[jobs.a]\ncommand = []", "line 2: job 'a': the command is empty"),
        ("[jobs.a]\ncommand='x'\ncron='* * * * *'\ninterval=1", "line 4: .*both cron and"),
        ("[jobs]\na = 3", "line 2: jobs.a must be a table"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(JobsError, match=says):
        read(text, file="jobs.toml")


def test_a_difference_is_said_in_lines() -> None:
    spec = checked({"command": ["x"], "retries": 3, "cron": "0 3 * * *"})
    wanted = deployment_of("x", spec)
    assert "+ retries = 3" in differences(wanted, None)
    assert differences(wanted, wanted) == []
    there = deployment_of("x", checked({"command": ["x"], "retries": 1, "tags": ["a"]}))
    assert differences(wanted, there) == [
        '- tags = ["a"]', "~ retries = 1 → 3", "+ schedule = 0 3 * * *",
        "+ schedule timezone = UTC",
    ]  # fmt: skip
