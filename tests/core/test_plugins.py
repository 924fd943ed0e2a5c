"""Plugins are found by folder, enabled by settings, and run where they are targeted."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from armillary.discovery import discover
from armillary.errors import ConfigError
from armillary.plugins import Plugins, enabled_among
from tests.plugin_folders import PluginFolder, plugins_in

SERVICES = """
    from armillary import hookimpl

    @hookimpl
    def register_services(core):
        from armillary_plugins.{name} import services
        return [services.__name__]
"""
ROUTES = SERVICES.replace("services", "routes")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PluginFolder]:
    with plugins_in(tmp_path) as found:
        yield found


def enabled(*enable: str, disable: tuple[str, ...] = ()) -> tuple[str, ...]:
    return enabled_among(discover(), enable=enable, disable=disable)


def loaded(*targets: str) -> Plugins:
    found = discover()
    on = enabled_among(found, enable=(), disable=())
    return Plugins(found, enabled=on, targets=targets or ("all",))


def test_a_folder_is_found_by_being_there(folder: PluginFolder) -> None:
    folder.write("moons")
    assert list(discover()) == ["moons"]
    assert discover()["moons"].manifest.summary == "Is moons."


def test_enabled_is_the_default_with_what_it_requires_first(folder: PluginFolder) -> None:
    folder.write("aldebaran", "requires=('zenith',)")
    folder.write("zenith", "default=False")
    folder.write("never", "default=False")
    assert enabled() == ("zenith", "aldebaran")
    assert enabled("never") == ("never", "zenith", "aldebaran")


def test_disabling_wins_over_the_default(folder: PluginFolder) -> None:
    folder.write("moons")
    assert enabled(disable=("moons",)) == ()


def test_disabling_what_another_requires_is_refused(folder: PluginFolder) -> None:
    folder.write("moons", "requires=('planets',)")
    folder.write("planets")
    with pytest.raises(ConfigError, match="moons requires planets"):
        enabled(disable=("planets",))


@pytest.mark.parametrize("name", ["event_persister", "event-persister", "ladler", "LADLER"])
def test_every_spelling_of_a_name_is_one_plugin(folder: PluginFolder, name: str) -> None:
    folder.write("event_persister", "default=False, aliases=('ladler',)")
    assert enabled(name) == ("event_persister",)


def test_an_unknown_name_comes_with_a_suggestion(folder: PluginFolder) -> None:
    folder.write("scheduler")
    with pytest.raises(ConfigError, match=r"no 'schedular'; did you mean 'scheduler'\?"):
        enabled("schedular")
    with pytest.raises(ConfigError, match=r"--target: .*did you mean 'scheduler'\?"):
        loaded("schedular")


@pytest.fixture
def two(folder: PluginFolder) -> PluginFolder:
    for name in ("clock_work", "sky"):
        files = {
            "plugin.py": (SERVICES + ROUTES).format(name=name),
            "services.py": "",
            "routes.py": "",
        }
        folder.write(name, files=files)
    return folder


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("target", "services", "routes", "core"),
    [
        ("all", {"clock_work", "sky"}, {"clock_work", "sky"}, True),
        ("api", set(), {"clock_work", "sky"}, True),
        ("background", {"clock_work", "sky"}, set(), False),
        ("clock-work", {"clock_work"}, {"clock_work"}, False),
        ("server", set(), set(), True),
        ("flow-run-reads", set(), set(), False),
    ],
)
def test_a_target_means_what_it_says(
    target: str,
    services: set[str],
    routes: set[str],
    core: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    plugins = loaded(target)
    assert {name for name, _ in plugins.collect("register_services", None)} == services
    assert {name for name, _ in plugins.collect("register_routes", None)} == routes
    assert plugins.serves("task_run_writes") is core
    assert plugins.serves("flow_run_reads") is (core or target == "flow-run-reads")
    assert plugins.serves_http() is (bool(routes) or core or target == "flow-run-reads")


def test_a_plugin_of_hosted_hooks_means_its_host(folder: PluginFolder) -> None:
    folder.write("sky", files={"plugin.py": SERVICES.format(name="sky"), "services.py": ""})
    folder.write("stars", "host='sky'")
    assert loaded("stars").here("sky")


def test_a_target_that_is_not_enabled_is_refused(folder: PluginFolder) -> None:
    folder.write("moons", "default=False")
    with pytest.raises(ConfigError, match="moons is not enabled"):
        loaded("moons")


def test_a_plugin_calls_hooks_of_its_own_on_others(folder: PluginFolder) -> None:
    hooks = (
        'from armillary import hookspec\n@hookspec\ndef register_stars(core):\n    """Stars."""\n'
    )
    star = "from armillary import hookimpl\n@hookimpl\ndef register_stars():\n    return ['Vega']"
    folder.write("sky", files={"hookspecs.py": hooks})
    folder.write("vega", "requires=('sky',)", files={"plugin.py": star})
    assert loaded("server").collect("register_stars", None) == [("vega", "Vega")]


def test_a_hook_of_an_absent_host_is_optional(folder: PluginFolder) -> None:
    star = (
        "from armillary import hookimpl\n@hookimpl(optionalhook=True)\n"
        "def register_stars():\n    return ['Vega']"
    )
    folder.write("vega", files={"plugin.py": star})
    assert loaded().enabled == ("vega",)


ASK = """
import sys, armillary_plugins
armillary_plugins.__path__[:] = [{path!r}]
from armillary.discovery import discover
from armillary.plugins import Plugins, enabled_among
found = discover()
enabled = enabled_among(found, enable=(), disable={disable!r})
plugins = Plugins(found, enabled=enabled, targets={targets!r})
for hook in ("register_services", "register_routes"):
    plugins.collect(hook, None)
print(*sorted(name[18:] for name in sys.modules if name.startswith("armillary_plugins.")))
"""


def imported(
    folder: PluginFolder, *, targets: tuple[str, ...], disable: tuple[str, ...]
) -> set[str]:
    script = ASK.format(path=str(folder.path), targets=targets, disable=disable)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return set(done.stdout.decode().split())


def test_an_untargeted_plugin_is_never_imported(two: PluginFolder) -> None:
    names = imported(two, targets=("sky",), disable=())
    assert {"sky.services", "sky.routes", "clock_work.plugin"} <= names
    assert not {"clock_work.services", "clock_work.routes"} & names


def test_a_disabled_plugin_leaves_no_trace(two: PluginFolder) -> None:
    names = imported(two, targets=("all",), disable=("clock_work",))
    assert {name for name in names if name.startswith("clock_work.")} == set()
