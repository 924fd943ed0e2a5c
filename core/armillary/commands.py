"""The core's own words of the command line."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from armillary.command import Command
from armillary.discovery import GROUPS, SERVER, WORDS, Found, Refusal, discover
from armillary.manifest import PLUGIN_API
from armillary.plugins import Plugins, enabled_among
from armillary.settings import Settings, effective, load


def settings_of(
    arguments: argparse.Namespace, **flags: object
) -> tuple[Settings, Mapping[str, Found]]:
    """Load the settings that flags, environment and file make; ``server_port`` is server.port."""
    found = discover()
    targets = getattr(arguments, "target", None)
    given = {
        "home": arguments.home,
        "targets": [name for each in targets for name in each.split(",") if name.strip()]
        if targets
        else None,
        **{name.replace("_", ".", 1): value for name, value in flags.items()},
    }
    said = {name: value for name, value in given.items() if value is not None}
    return load(found, environ=os.environ, flags=said, file=arguments.config), found


def _plugins(
    settings: Settings, found: Mapping[str, Found], *, failed: Mapping[str, str] | None = None
) -> Plugins:
    enabled = enabled_among(found, enable=settings.plugins.enable, disable=settings.plugins.disable)
    return Plugins(found, enabled=enabled, targets=settings.targets, failed=failed)


def _targets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target", metavar="A,B", action="append", help="what runs here: see armillary services"
    )


def _start_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="N", type=int, help="the port to listen at (4200)")
    parser.add_argument("--host", metavar="H", help="the address to listen at (127.0.0.1)")
    _targets(parser)
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    parser.add_argument(
        "--or-open", action="store_true", help="open the page of the server that has the home"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="let anybody who reaches --host do everything"
    )


def _start(arguments: argparse.Namespace) -> int:
    settings, found = settings_of(
        arguments,
        server_port=arguments.port,
        server_host=arguments.host,
        server_browser=False if arguments.no_browser else None,
        server_insecure=True if arguments.insecure else None,
    )
    if arguments.or_open and _opened(settings):
        return 0
    from armillary import log
    from armillary.server import serve

    log.configure(settings.log)
    return serve(settings, found, say=lambda text: print(text, flush=True))


def _opened(settings: Settings) -> bool:
    """Open the page of the server that has these data already; False if there is none."""
    from armillary.db.engine import file_of
    from armillary.greeting import open_browser
    from armillary.home import served_at

    file = file_of(settings.database_url)
    address = served_at(file) if file is not None else None
    if address is None:
        return False
    print(f"Armillary runs already: {address}")
    opening = open_browser(address) if settings.server.browser else None
    if opening is not None:
        opening.join()
    return True


def _json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


def _config(arguments: argparse.Namespace) -> int:
    settings, _ = settings_of(arguments)
    rows = effective(settings)
    if arguments.json:
        document = {name: {"value": value, "from": origin} for name, value, origin in rows}
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        _print_table([(name, _written(value), origin) for name, value, origin in rows])
    return 0


def _written(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _print_table(rows: Iterable[Sequence[str]]) -> None:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def services_table(plugins: Plugins) -> list[tuple[str, str, str, str, str]]:
    """List every target: whether it runs here, its name and aliases, its kind, what it is."""
    rows = [
        (_mark(plugins.serves(SERVER)), SERVER, "", "web", "Every route of the core."),
        *((_mark(plugins.serves(name)), name, "", "web", _GROUP[name]) for name in GROUPS),
    ]
    for name in plugins.enabled:
        manifest = plugins.found[name].manifest
        kinds = ", ".join(plugins.kinds(name)) or (manifest.host and f"in {manifest.host}")
        if kinds:
            aliases = ", ".join(manifest.aliases)
            rows.append((_mark(plugins.here(name)), name, aliases, kinds, manifest.summary))
    return rows


def _mark(here: bool) -> str:  # noqa: FBT001 - it is what is shown
    return "●" if here else "○"


_GROUP = {
    "flow_run_reads": "The part of server that answers questions about flow runs.",
    "flow_run_writes": "The part of server that changes flow runs.",
    "task_run_reads": "The part of server that answers questions about task runs.",
    "task_run_writes": "The part of server that changes task runs.",
}


def _services(arguments: argparse.Namespace) -> int:
    plugins = _plugins(*settings_of(arguments))
    _print_table(services_table(plugins))
    print(f"\n● runs here with these targets.  Words for many: {', '.join(WORDS)}.")
    return 0


def plugins_table(plugins: Plugins) -> list[tuple[str, str, str, str]]:
    """List every plugin that is found: whether it is enabled, what it requires, what it is."""
    refused = {refusal.plugin for refusal in plugins.refused}
    return [
        (
            "✗" if name in refused else _mark(name in plugins.enabled),
            f"{name} ({plugin.distribution})" if plugin.distribution else name,
            ", ".join(plugin.manifest.requires),
            plugin.manifest.summary,
        )
        for name, plugin in plugins.found.items()
    ]


def _list_plugins(arguments: argparse.Namespace) -> int:
    settings, found = settings_of(arguments)
    known = _plugins(settings, found).refused
    later = {each.plugin: each for each in _recorded(settings, found)}
    failed = {name: each.reason for name, each in later.items()}
    plugins = _plugins(settings, found, failed=failed)
    _print_table(plugins_table(plugins))
    print("\n● enabled  ○ found only  ✗ left out")
    for refusal in plugins.refused:
        when = "" if refusal in known else "  (so it was at the last start)"
        print(f"\n{refusal.sentence}{when}")
    return 0


def _recorded(settings: Settings, found: Mapping[str, Found]) -> list[Refusal]:
    """What the last start had to leave out, of plugins that are still as they were then."""
    from armillary.assembling import recorded

    return [
        each
        for each in recorded(settings.home)
        if (plugin := found.get(each.plugin)) and plugin.distribution == each.distribution
    ]


def _rules(arguments: argparse.Namespace) -> int:
    from armillary.orchestration.describe import rules_table
    from armillary.orchestration.policy import Policies
    from armillary.orchestration.rules import RULES

    plugins = _plugins(*settings_of(arguments))
    theirs = [rule for _, rule in plugins.collect("register_rules")]
    print(rules_table(Policies([*RULES, *theirs])))
    return 0


def _database_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "word",
        choices=("upgrade", "info", "audit", "reset"),
        help="bring it to this version's shape, say what it has seen, look for rows that belong to "
        "nothing, or delete everything in it",
    )
    parser.add_argument("--yes", action="store_true", help="reset without asking")


def _database(arguments: argparse.Namespace) -> int:
    from armillary import database_command
    from armillary.settings import hide_password

    settings, found = settings_of(arguments)
    shown = hide_password(settings.database_url)
    if arguments.word == "reset":
        if not arguments.yes and not _agreed(f"Delete everything in {shown}? Type yes: "):
            print("Nothing was changed.")
            return 1
        lines = database_command.reset(settings, found)
    elif arguments.word == "upgrade":
        lines = database_command.upgrade(settings, found)
    elif arguments.word == "audit":
        lines = database_command.audit(settings, found)
    else:
        lines = database_command.info(settings, found)
    print("\n".join([shown, *lines]))
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        print("Nobody is here to ask; say --yes.", file=sys.stderr)
        return False
    return input(question).strip().lower() == "yes"


def _version(_: argparse.Namespace) -> int:
    from armillary.system.versions import PREFECT_VERSION

    python = ".".join(map(str, sys.version_info[:3]))
    print(
        f"armillary {importlib.metadata.version('armillary')} "
        f"(speaks Prefect {PREFECT_VERSION}, plugin API {PLUGIN_API}, Python {python})"
    )
    return 0


def _config_arguments(parser: argparse.ArgumentParser) -> None:
    _targets(parser)
    _json_argument(parser)


COMMANDS = (
    Command(name="start", summary="Start Armillary.", run=_start, arguments=_start_arguments),
    Command(
        name="config",
        summary="Print every setting and where its value comes from.",
        run=_config,
        arguments=_config_arguments,
    ),
    Command(
        name="services",
        summary="List what a process can be given to run.",
        run=_services,
        arguments=_targets,
    ),
    Command(name="plugins", summary="List the plugins that are found.", run=_list_plugins),
    Command(name="rules", summary="Print the orchestration rules in their order.", run=_rules),
    Command(
        name="database",
        summary="Upgrade, describe, audit or reset the database.",
        run=_database,
        arguments=_database_arguments,
    ),
    Command(name="version", summary="Print the version.", run=_version),
)
