"""Flags win over the environment, that over the file, that over defaults; nothing is guessed."""

from pathlib import Path

import msgspec
import pytest

from armillary.discovery import Found
from armillary.errors import ConfigError
from armillary.manifest import Manifest
from armillary.settings import Settings, effective, load


class Late(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: float = 15.0
    colours: tuple[str, ...] = ()


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    late_runs_after: str = ""
    api_token: str = "unset"


FOUND = {
    name: Found(name, name, Manifest(summary="Is.", config=config, aliases=aliases))
    for name, config, aliases in (("mark_late_runs", Late, ("latecomers",)), ("mark", Mark, ()))
}


def settings(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    (tmp_path / "armillary.toml").write_text(text, encoding="utf-8")
    return load(FOUND, environ={"ARMILLARY_HOME": str(tmp_path), **environ})


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    text = "[server]\nport = 1\nhost = '127.0.0.1'\nbase_path = '/a'"
    (tmp_path / "armillary.toml").write_text(text)
    environ = {"ARMILLARY_SERVER_PORT": "2", "ARMILLARY_SERVER_HOST": "127.0.0.2"}
    flags = {"home": str(tmp_path), "server.port": 3}
    loaded = load(FOUND, environ=environ, flags=flags)
    assert loaded.server.port == 3
    assert loaded.server.host == "127.0.0.2"
    assert loaded.server.base_path == "/a"
    assert loaded.server.browser is True
    assert loaded.origins["server.port"] == "flag"
    assert loaded.origins["server.host"] == "environment ARMILLARY_SERVER_HOST"
    assert loaded.origins["server.base_path"] == str(tmp_path / "armillary.toml")


def test_the_default_database_is_a_file_in_the_home(tmp_path: Path) -> None:
    assert settings(tmp_path).database_url == f"sqlite:///{tmp_path / 'armillary.db'}"


def test_a_plugins_section_is_its_struct(tmp_path: Path) -> None:
    loaded = settings(tmp_path, "[mark_late_runs]\nafter = 3")
    assert loaded.section(Late) == Late(after=3.0)
    assert loaded.section(Mark) == Mark()


@pytest.mark.parametrize("name", ["mark-late-runs", "latecomers"])
def test_a_section_may_be_spelt_as_its_plugin_may(tmp_path: Path, name: str) -> None:
    assert settings(tmp_path, f"[{name}]\nafter = 3").section(Late).after == 3


def test_the_longest_section_wins_in_a_variable(tmp_path: Path) -> None:
    loaded = settings(tmp_path, ARMILLARY_MARK_LATE_RUNS_AFTER="4", ARMILLARY_MARK_API_TOKEN="x")
    assert loaded.section(Late).after == 4
    assert loaded.section(Mark) == Mark(api_token="x")


def test_a_variable_is_decoded_to_its_fields_type(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path,
        ARMILLARY_TARGETS="api, scheduler",
        ARMILLARY_SERVER_BROWSER="false",
        ARMILLARY_MARK_LATE_RUNS_COLOURS="red,blue",
        ARMILLARY_DATABASE_URL="postgresql://u@h/n",
    )
    assert loaded.targets == ("api", "scheduler")
    assert loaded.server.browser is False
    assert loaded.section(Late).colours == ("red", "blue")
    assert loaded.database_url == "postgresql://u@h/n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[srver]\nport = 1", r"no section \[srver\]; did you mean 'server'\?"),
        ("prt = 1", r"no section \[prt\]"),
        ("[server]\nprot = 1", r"\[server\] has no setting `prot`.*did you mean 'port'\?"),
        ("[mark_late_runs]\naftr = 1", r"\[mark_late_runs\] has no setting `aftr`.*'after'\?"),
        ("[server]\nport = 'x'", r"server.port = 'x' .*does not do: Expected `int`"),
        ("[server]\nport = 70000", r"server.port = 70000 .*<= 65535"),
        ("[server", "not valid TOML"),
    ],
)
def test_a_wrong_file_stops_with_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        settings(tmp_path, text)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("ARMILLARY_SERVER_PROT", "did you mean 'ARMILLARY_SERVER_PORT'"),
        ("ARMILLARY_HOEM", "did you mean 'ARMILLARY_HOME'"),
        ("ARMILLARY_MARK_LATE_RUNS_AFTR", "did you mean 'ARMILLARY_MARK_LATE_RUNS_AFTER'"),
    ],
)
def test_an_unknown_variable_stops_with_a_suggestion(
    tmp_path: Path, variable: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        settings(tmp_path, **{variable: "1"})


def test_a_wrong_value_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ARMILLARY_SERVER_PORT.*does not do"):
        settings(tmp_path, ARMILLARY_SERVER_PORT="many")


def test_variables_of_the_test_suite_are_not_settings(tmp_path: Path) -> None:
    assert settings(tmp_path, ARMILLARY_TEST_POSTGRES="/x").server.port == 4200


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(FOUND, environ={}, file=tmp_path / "none.toml")


def test_what_is_shown_hides_passwords_and_secrets(tmp_path: Path) -> None:
    url = "postgresql://owner:opensesame@host/name"
    loaded = settings(tmp_path, ARMILLARY_DATABASE_URL=url, ARMILLARY_MARK_API_TOKEN="opensesame")
    rows = {name: (value, origin) for name, value, origin in effective(loaded)}
    assert "opensesame" not in str(rows)
    assert rows["database.url"][0] == "postgresql://owner:********@host/name"
    assert rows["server.port"] == (4200, "default")
    assert rows["mark.api_token"][1] == "environment ARMILLARY_MARK_API_TOKEN"
