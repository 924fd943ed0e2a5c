"""A plugin that cannot be used is left out with a reason, and nothing stops because of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from armillary.discovery import SECTIONS, discover
from armillary.errors import ConfigError, PluginFailed
from armillary.manifest import PLUGIN_API
from armillary.plugins import Plugins, enabled_among
from armillary.settings import SECTIONS as SETTINGS
from armillary.settings import load
from tests.plugin_folders import Installed, PluginFolder, installed_in, plugins_in

HOOKS = "from armillary import hookimpl\n@hookimpl\ndef {}:\n    {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[PluginFolder]:
    (tmp_path / "shipped").mkdir()
    with plugins_in(tmp_path / "shipped") as found:
        yield found


@pytest.fixture
def installed(tmp_path: Path, folder: PluginFolder) -> Iterator[Installed]:  # noqa: ARG001 - alone
    with installed_in(tmp_path / "site") as made:
        yield made


def loaded(*targets: str, disable: tuple[str, ...] = (), **failed: str) -> Plugins:
    found = discover()
    on = enabled_among(found, enable=(), disable=disable)
    return Plugins(found, enabled=on, targets=targets or ("all",), failed=failed)


def reasons(plugins: Plugins) -> dict[str, str]:
    return {refusal.plugin: refusal.reason for refusal in plugins.refused}


def test_what_does_not_import_is_left_out_and_the_rest_runs(folder: PluginFolder) -> None:
    folder.write("moons", files={"__init__.py": "import no_such_library"})
    folder.write("sky")
    plugins = loaded()
    assert plugins.enabled == ("sky",)
    reason = "it cannot be imported (ModuleNotFoundError: No module named 'no_such_library')"
    assert reasons(plugins) == {"moons": reason}


def test_what_ends_the_program_when_imported_does_not_end_it(folder: PluginFolder) -> None:
    folder.write("moons", files={"__init__.py": "import sys\nsys.exit('not on this machine')"})
    assert reasons(loaded()) == {"moons": "it cannot be imported (SystemExit: not on this machine)"}


def test_a_folder_without_a_manifest_is_left_out(folder: PluginFolder) -> None:
    folder.write("moons", files={"__init__.py": ""})
    assert "there is no MANIFEST" in reasons(loaded())["moons"]


def test_hooks_that_do_not_import_are_left_out(folder: PluginFolder) -> None:
    folder.write("moons", files={"plugin.py": "1 / 0"})
    assert reasons(loaded()) == {
        "moons": "it cannot be loaded (ZeroDivisionError: division by zero)"
    }


def test_whatever_requires_what_is_left_out_is_left_out_too(folder: PluginFolder) -> None:
    folder.write("sky", files={"plugin.py": "1 / 0"})
    folder.write("stars", "requires=('sky',)")
    folder.write("vega", "requires=('stars',)")
    folder.write("earth")
    plugins = loaded()
    assert plugins.enabled == ("earth",)
    assert reasons(plugins)["stars"] == "it requires the plugin sky, which is left out"
    assert reasons(plugins)["vega"] == "it requires the plugin stars, which is left out"


def test_requiring_what_is_not_there_suggests_what_is(folder: PluginFolder) -> None:
    folder.write("sky")
    folder.write("stars", "requires=('skye',)")
    assert reasons(loaded())["stars"] == (
        "it requires the plugin skye, which is not there; did you mean 'sky'?"
    )


def test_plugins_that_require_each_other_are_all_left_out(folder: PluginFolder) -> None:
    folder.write("a", "requires=('b',)")
    folder.write("b", "requires=('c',)")
    folder.write("c", "requires=('a',)")
    folder.write("d")
    plugins = loaded()
    assert plugins.enabled == ("d",)
    assert reasons(plugins)["a"] == "it requires the plugin b, which in the end requires it"


def test_another_name_that_is_taken_leaves_the_later_plugin_out(folder: PluginFolder) -> None:
    folder.write("a", "aliases=('c',)")
    folder.write("b", "aliases=('c',)")
    assert reasons(loaded()) == {"b": "its other name c is taken by a"}


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("register_service(core)", "nobody calls; did you mean 'register_services'?"),
        ("register_services(sky)", "can not be found in the hookspec"),
    ],
)
def test_a_hook_that_is_none_leaves_its_plugin_out(
    folder: PluginFolder, hook: str, reason: str
) -> None:
    folder.write("moons", files={"plugin.py": HOOKS.format(hook, "return []")})
    folder.write("phobos", "requires=('moons',)")
    folder.write("sky", files={"plugin.py": HOOKS.format("register_services(core)", "return [7]")})
    plugins = loaded()
    assert plugins.enabled == ("sky",)
    assert reason in reasons(plugins)["moons"]
    assert plugins.collect("register_services", None) == [("sky", 7)]


def test_a_hook_that_raises_names_its_plugin_and_a_second_attempt_is_without_it(
    folder: PluginFolder,
) -> None:
    raising = HOOKS.format("register_services(core)", "raise OSError('no moon tonight')")
    folder.write("moons", files={"plugin.py": raising})
    folder.write("phobos", "requires=('moons',)")
    with pytest.raises(PluginFailed) as caught:
        loaded().collect("register_services", None)
    reason = "its register_services fails (OSError: no moon tonight)"
    assert (caught.value.plugin, caught.value.reason) == ("moons", reason)
    plugins = loaded(moons=reason)
    assert plugins.collect("register_services", None) == []
    assert plugins.enabled == ()
    assert reasons(plugins) == {
        "moons": reason,
        "phobos": "it requires the plugin moons, which is left out",
    }


def test_a_disabled_plugin_is_not_missed(folder: PluginFolder) -> None:
    folder.write("moons", files={"__init__.py": "1 / 0"})
    assert loaded(disable=("moons",)).refused == ()


def test_a_target_that_is_left_out_is_skipped_unless_it_is_the_only_one(
    folder: PluginFolder,
) -> None:
    folder.write("moons", files={"__init__.py": "1 / 0"})
    assert loaded("server", "moons").targets == {"server"}
    with pytest.raises(ConfigError, match=r"moons is left out: it cannot .*ZeroDivisionError"):
        loaded("moons")


def test_settings_of_what_is_left_out_are_not_looked_at(folder: PluginFolder) -> None:
    folder.write("moons", files={"__init__.py": "1 / 0"})
    file = folder.path.parent / "armillary.toml"
    file.write_text("[moons]\nphase = 'full'\n")
    settings = load(discover(), environ={"ARMILLARY_MOONS_PHASE": "new"}, file=file)
    assert settings.sections == {}


def test_the_core_keeps_its_names(folder: PluginFolder) -> None:
    assert set(SECTIONS) == set(SETTINGS) - {""}
    folder.write("database")
    assert "the core's" in reasons(loaded())["database"]


def test_an_installed_plugin_is_found_with_its_distribution(installed: Installed) -> None:
    installed.write("moons")
    plugins = loaded()
    assert plugins.enabled == ("moons",)
    assert plugins.found["moons"].distribution == "armillary-moons 0.3"


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (f"api={PLUGIN_API + 1}", "upgrade Armillary"),
        (f"api={PLUGIN_API + 1}, warp=9", "upgrade Armillary"),
        (f"api={PLUGIN_API - 1}", "upgrade the plugin"),
        ("", f"does not say api={PLUGIN_API}"),
    ],
    ids=["newer", "newer with words unknown here", "older", "untold"],
)
def test_a_plugin_for_another_plugin_api_is_left_out_with_what_to_do(
    installed: Installed, manifest: str, reason: str
) -> None:
    installed.write("moons", manifest)
    (refusal,) = loaded().refused
    assert reason in refusal.reason
    assert refusal.sentence.startswith("The plugin moons (armillary-moons 0.3) is left out: it")


def test_what_ships_keeps_its_name_against_what_is_installed(
    folder: PluginFolder, installed: Installed
) -> None:
    folder.write("moons")
    installed.write("moons")
    plugins = loaded()
    assert plugins.enabled == ("moons",)
    assert reasons(plugins) == {
        "moons of armillary_moons": (
            "the name moons is that of armillary_plugins.moons already: uninstall one"
        )
    }
