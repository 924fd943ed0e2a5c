"""Commands do what they say, and what is wrong is one sentence and exit code 1."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from armillary.cli import main
from armillary.home import HomeLock
from tests.plugin_folders import plugins_in


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARMILLARY_HOME", str(tmp_path / "home"))


def test_config_tells_each_value_and_where_it_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARMILLARY_SERVER_PORT", "4300")
    assert main(["config", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["server.port"] == {"value": 4300, "from": "environment ARMILLARY_SERVER_PORT"}
    assert told["log.level"] == {"value": "info", "from": "default"}


def test_who_has_read_enough_of_it_may_leave() -> None:
    words = [sys.executable, "-m", "armillary", "rules"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as told:
        assert told.stdout is not None
        assert told.stderr is not None
        told.stdout.close()
        assert told.stderr.read() == ""
        assert told.wait() == 141


def test_a_wrong_setting_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARMILLARY_SERVER_PROT", "1")
    assert main(["config"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("armillary: No setting is called ARMILLARY_SERVER_PROT")
    assert told.count("\n") == 1


def test_services_says_what_runs_with_these_targets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["services", "--target", "flow-run-reads"]) == 0
    lines = capsys.readouterr().out.splitlines()
    lines = lines[: lines.index("")]
    marks = {line.split()[1]: line[0] for line in lines}
    assert marks["flow_run_reads"] == "●"
    assert marks["server"] == marks["task_run_reads"] == "○"


def test_plugins_tells_enabled_from_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    with plugins_in(folder) as plugins:
        plugins.write("moons")
        plugins.write("stars", "default=False, requires=('moons',)")
        assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["●", "moons", "Is", "moons."],
        ["○", "stars", "moons", "Is", "stars."],
    ]


def test_a_plugin_adds_a_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plugin = """
        from armillary import hookimpl
        from armillary.command import Command

        @hookimpl
        def register_commands():
            return [Command(name="gaze", summary="Look up.", run=lambda _: print("stars") or 7)]
    """
    folder = tmp_path / "plugins"
    folder.mkdir()
    with plugins_in(folder) as plugins:
        plugins.write("moons", files={"plugin.py": plugin})
        assert main(["gaze"]) == 7
        with pytest.raises(SystemExit):
            main(["--help"])
    told = capsys.readouterr().out
    assert told.startswith("stars")
    assert "Look up." in told


def test_the_database_is_made_described_and_reset(
    capsys: pytest.CaptureFixture[str], empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARMILLARY_DATABASE_URL", empty_database_url)

    def told(*words: str) -> list[str]:
        assert main(["database", *words]) == 0
        return capsys.readouterr().out.splitlines()[1:]

    made = told("upgrade")
    assert made[0] == "applied core/m0001_create"
    assert told("upgrade") == ["already up to date"]
    assert told("info") == made
    assert told("audit") == ["every row belongs to something"]
    assert told("reset", "--yes") == ["everything is deleted", *made]


def test_a_reset_without_a_yes_changes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert main(["database", "reset"]) == 1
    assert "Nothing was changed." in capsys.readouterr().out


def test_a_reset_is_refused_while_a_server_has_the_home(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with HomeLock(tmp_path / "home" / "armillary.db"):
        assert main(["database", "reset", "--yes"]) == 1
    assert "A server already runs on" in capsys.readouterr().err


def test_version_names_both_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    told = capsys.readouterr().out
    assert "armillary" in told
    assert "3.8" in told


@pytest.mark.snapshots
def test_the_help_is_recorded(
    snapshot: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    words = ["", "start", "config", "services", "plugins", "rules", "database", "version"]
    parts: list[str] = []
    with plugins_in(tmp_path):
        for word in words:
            with pytest.raises(SystemExit):
                main([*filter(None, [word]), "--help"])
            parts.append(capsys.readouterr().out)
    snapshot("help.txt", "\n".join(parts))
