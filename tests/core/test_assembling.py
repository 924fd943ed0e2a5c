"""A server starts without whatever plugin fails on the way, and says so wherever one looks."""

import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from armillary import database_command
from armillary.app import build
from armillary.assembling import assembled, recorded, tell
from armillary.cli import main
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.discovery import discover
from armillary.errors import ConfigError, PluginFailed
from armillary.server import held_for
from armillary.settings import Settings, load
from tests.plugin_folders import Installed, PluginFolder, installed_in, plugins_in

TABLES = """
    from armillary import hookimpl
    from armillary.db.tables import Belongs, Tables

    @hookimpl
    def register_tables():
        return [Tables(owner="moons", steps="armillary_moons.steps"{})]
"""
STEP = "STATEMENTS = ('create table moon (id text not null primary key, flow_run_id text)',{})"
ROUTES = """
    from armillary import hookimpl
    from armillary.api import Answer, Routes

    routes = Routes(tag="Moons")

    @routes.get("{}", scope=None)
    async def moons(call):
        "Tell."
        return Answer.empty()

    @hookimpl
    def register_routes(core):
        return [routes]
"""
SERVICES = "from armillary import hookimpl\n@hookimpl\ndef register_services(core):\n    {}\n"
COMMANDS = """
    from armillary import hookimpl
    from armillary.command import Command

    @hookimpl
    def register_commands():
        return [Command(name="{}", summary="Looks up.", run=lambda arguments: 0)]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PluginFolder]:
    (tmp_path / "shipped").mkdir()
    with plugins_in(tmp_path / "shipped") as found:
        yield found


@pytest.fixture
def installed(tmp_path: Path, folder: PluginFolder) -> Iterator[Installed]:  # noqa: ARG001 - alone
    with installed_in(tmp_path / "site") as made:
        yield made


def tables(step: str, *, belongs: str = "") -> dict[str, str]:
    return {
        "plugin.py": TABLES.format(belongs),
        "steps/__init__.py": "",
        "steps/m0001_create.py": step,
    }


def settings_in(home: Path) -> Settings:
    return load(discover(), environ={}, flags={"home": str(home)})


def asked(core: Core) -> None:
    core.collect("register_services", core)
    if core.collect("register_routes", core):  # which takes a while
        build(core)


@asynccontextmanager
async def started(home: Path) -> AsyncIterator[Core]:
    core, _ = await assembled(settings_in(home), discover(), asked)
    try:
        yield core
    finally:
        await core.close()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (tables("1 / 0"), "its migration steps cannot be read (ZeroDivisionError"),
        (tables("STATEMENTS = ('create moon',)"), "its migration step m0001_create fails"),
        (tables(STEP.format("'create table flow (id text)',")), "table flow already exists"),
        (
            tables(STEP.format(""), belongs=', belongs=(Belongs(table="moon", to="sky", by="x"),)'),
            "that moon.x belongs to sky is not so",
        ),
        ({"plugin.py": ROUTES.format("/ready")}, "its routes cannot be served"),
        ({"plugin.py": SERVICES.format("import no_such_library")}, "its register_services fails"),
        ({"plugin.py": SERVICES.format("return None")}, "its register_services fails"),
    ],
    ids=["unreadable step", "wrong step", "step of a taken table", "wrong belonging",
         "taken route", "missing library", "no list"],
)  # fmt: skip
async def test_what_fails_on_the_way_is_left_out_and_the_rest_starts(
    installed: Installed, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    installed.write("moons", files=files)
    installed.write("phobos", "api=1, requires=('moons',)")
    installed.write("sun", files={"plugin.py": SERVICES.format("return ['shines']")})
    async with started(tmp_path) as core:
        assert core.plugins.enabled == ("sun",)
        moons, phobos = core.plugins.refused
        assert (moons.plugin, moons.distribution) == ("moons", "armillary-moons 0.3")
        assert reason in moons.reason
        assert phobos.reason == "it requires the plugin moons, which is left out"


async def test_nothing_of_a_failed_step_is_kept_and_the_repaired_plugin_starts(
    installed: Installed, tmp_path: Path
) -> None:
    installed.write("moons", files=tables(STEP.format("'create moon',")))
    async with started(tmp_path) as core:
        assert [refusal.plugin for refusal in core.plugins.refused] == ["moons"]
    repaired = tables(STEP.format(""))["steps/m0001_create.py"]
    (installed.path / "armillary_moons" / "steps" / "m0001_create.py").write_text(repaired)
    sys.modules.pop("armillary_moons.steps.m0001_create")
    async with started(tmp_path) as core:
        assert await core.database.read(None).value("select count(*) from moon") == 0
        assert core.plugins.refused == ()


async def test_on_postgres_too_a_step_that_fails_leaves_nothing(
    installed: Installed, tmp_path: Path, fresh_postgres: str
) -> None:
    good = ', belongs=(Belongs(table="moon", to="flow_run", by="flow_run_id"),)'
    wrong = good.replace('"flow_run_id"', '"planet"')
    installed.write("moons", files=tables(STEP.format("'create moon',")))
    for name, belongs in (("deimos", wrong), ("phobos", good)):
        files = tables(STEP.format("").replace("moon", name), belongs=belongs.replace("moon", name))
        files["plugin.py"] = files["plugin.py"].replace("moons", name)
        installed.write(name, files=files)
    flags = {"home": str(tmp_path), "database.url": fresh_postgres}
    core, _ = await assembled(load(discover(), environ={}, flags=flags), discover(), asked)
    try:
        assert core.plugins.enabled == ("phobos",)
        deimos, moons = core.plugins.refused
        assert "column c.planet does not exist" in deimos.reason
        assert 'syntax error at or near "moon"' in moons.reason
        made = "select count(*) from information_schema.tables where table_name = 'moon'"
        assert await core.database.read(None).value(made) == 0
    finally:
        await core.close()


async def test_events_are_kept_for_what_is_left_out_and_has_read_them_before(
    installed: Installed, tmp_path: Path
) -> None:
    installed.write("moons", files={"plugin.py": "1 / 0"})
    installed.write("sun", files={"plugin.py": "1 / 0"})

    async def read(unit: Unit) -> None:
        for consumer in ("moons.phases", "removed"):
            await unit.run("insert into consumer_position values (?, 0, 0, 0)", consumer)

    async with started(tmp_path) as core:
        await core.database.write(read, workspace=None)
        assert await held_for(core) == ["moons"]


async def test_tables_of_a_newer_version_of_a_plugin_leave_it_out(
    installed: Installed, tmp_path: Path
) -> None:
    installed.write("moons", files=tables(STEP.format("")))

    async def upgrade(unit: Unit) -> None:
        await unit.run("insert into migration values ('moons', 'm0002_later', 0)")

    async with started(tmp_path) as core:
        await core.database.write(upgrade, workspace=None)
    async with started(tmp_path) as core:
        (refusal,) = core.plugins.refused
    assert "a newer version of it has made its tables (they have m0002_later)" in refusal.reason


async def test_what_is_left_out_is_told_by_readiness_log_and_command(
    installed: Installed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    installed.write("moons", files=tables("STATEMENTS = ('create moon',)"))
    async with started(tmp_path) as core:
        with caplog.at_level(logging.INFO, "armillary.plugins"):
            await tell(core)
        (sentence,) = [refusal.sentence for refusal in core.plugins.refused]
        transport = httpx.ASGITransport(app=build(core))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/api/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "OK", "warnings": [sentence]},
    )
    assert [record.getMessage() for record in caplog.records] == [sentence]
    assert sentence.startswith(
        "The plugin moons (armillary-moons 0.3) is left out: its migration step m0001_create fails"
    )
    assert sentence.count(".") == 2, "one sentence, and a version"

    assert main(["plugins", f"--home={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert "✗  moons" in said
    assert f"{sentence}  (so it was at the last start)" in said


async def test_a_start_without_faults_forgets_those_of_the_last(
    installed: Installed, tmp_path: Path
) -> None:
    installed.write("moons", files={"plugin.py": "1 / 0"})
    async with started(tmp_path) as core:
        await tell(core)
    assert [each.plugin for each in recorded(tmp_path)] == ["moons"]
    (installed.path / "armillary_moons" / "plugin.py").write_text("")
    async with started(tmp_path) as core:
        await tell(core)
    assert recorded(tmp_path) == []


async def test_a_plugin_that_is_removed_leaves_its_tables_and_that_is_said(
    installed: Installed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    installed.write("moons", files=tables(STEP.format("")))
    async with started(tmp_path):
        pass
    for path in sorted(installed.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    async with started(tmp_path) as core:
        with caplog.at_level(logging.INFO, "armillary.plugins"):
            await tell(core)
        assert await core.database.read(None).value("select count(*) from moon") == 0
    (record,) = caplog.records
    assert "keeps the tables of moons, which is not installed" in record.getMessage()


def test_upgrading_by_command_does_all_it_can_and_says_what_it_cannot(
    installed: Installed, tmp_path: Path
) -> None:
    installed.write("moons", files=tables("STATEMENTS = ('create moon',)"))
    lines = database_command.upgrade(settings_in(tmp_path), discover())
    assert lines[0] == "applied core/m0001_create"
    assert lines[-1].startswith("The plugin moons (armillary-moons 0.3) is left out")


def test_a_command_that_is_taken_leaves_its_plugin_out_of_the_command_line(
    installed: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.write("moons", files={"plugin.py": COMMANDS.format("start")})
    installed.write("sun", files={"plugin.py": COMMANDS.format("look")})
    assert main(["look"]) == 0
    assert "The plugin moons" in (told := capsys.readouterr().err)
    assert "a command start already" in told


async def test_whoever_blames_another_in_vain_stops_the_start_and_not_for_ever(
    installed: Installed, tmp_path: Path
) -> None:
    blaming = "from armillary.errors import PluginFailed\n    raise PluginFailed('sun', 'it is up')"
    installed.write("moons", files={"plugin.py": SERVICES.format(blaming)})
    with pytest.raises(PluginFailed, match="sun"):
        await assembled(settings_in(tmp_path), discover(), asked)


async def test_what_an_operator_set_wrong_still_stops_the_start(
    installed: Installed, tmp_path: Path
) -> None:
    hook = "from armillary.errors import ConfigError\n    raise ConfigError('moons.phase is none')"
    installed.write("moons", files={"plugin.py": SERVICES.format(hook)})
    with pytest.raises(ConfigError, match=r"^moons.phase is none$") as caught:
        await assembled(settings_in(tmp_path), discover(), asked)
    assert not isinstance(caught.value, PluginFailed)


def test_the_folder_of_plugins_of_the_home_is_looked_into(
    folder: PluginFolder,  # noqa: ARG001 - without what ships
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with installed_in(tmp_path / "home" / "plugins") as installed:
        sys.path.remove(str(installed.path))
        installed.write("moons", files={"plugin.py": COMMANDS.format("look")})
        assert main(["look", f"--home={tmp_path / 'home'}"]) == 0
        assert sys.path[-1] == str(installed.path), "what ships is found before it"
        assert main(["plugins", "--home", str(tmp_path / "home")]) == 0
    assert "●  moons" in capsys.readouterr().out
