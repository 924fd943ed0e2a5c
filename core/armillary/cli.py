"""The command line: which words there are, and how errors are told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from armillary.command import Command
from armillary.commands import COMMANDS
from armillary.discovery import add_folder, discover
from armillary.errors import ConfigError, PluginFailed, Unavailable
from armillary.plugins import Plugins, enabled_among
from armillary.settings import TopSettings, load


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors of the installation are one sentence and exit code 1."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(given)
    except ConfigError as error:
        print(f"armillary: {error}", file=sys.stderr)
        return 1
    except Unavailable as error:
        advice = "try again when it can be reached; if it is damaged, put a copy in its place"
        print(f"armillary: {error}: {advice}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read has heard enough; what is still to be flushed must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(given: Sequence[str]) -> int:
    words, rest = _parted(given)
    add_folder(_home_in(words))
    arguments = _parser(_commands(words)).parse_args(words)
    command: Command = arguments.command
    if rest is not None and not command.rest:
        message = f"armillary {command.name} takes nothing after --; it was given {rest}."
        raise ConfigError(message)
    arguments.rest = rest or []
    code = command.run(arguments)
    sys.stdout.flush()
    return code


def _home_in(words: Sequence[str]) -> Path:
    """Find out where the home is before there are plugins to ask what the words mean."""
    parser = argparse.ArgumentParser(prog="armillary", add_help=False, allow_abbrev=False)
    parser.add_argument("--home")
    said = parser.parse_known_args(words)[0].home
    return Path(said or os.environ.get("ARMILLARY_HOME") or TopSettings().home).expanduser()


def _parted(given: Sequence[str]) -> tuple[Sequence[str], list[str] | None]:
    """Part the words of the command from those after `--`, which argparse would take apart."""
    if "--" not in given:
        return given, None
    at = list(given).index("--")
    return given[:at], list(given[at + 1 :])


def _commands(given: Sequence[str]) -> list[Command]:
    """Return the core's commands, and the plugins' where they may be meant."""
    words = {command.name for command in COMMANDS}
    if given and given[0] in words:
        return [*COMMANDS]
    found = discover()
    settings = load(found, environ=os.environ)
    enabled = enabled_among(found, enable=settings.plugins.enable, disable=settings.plugins.disable)
    failed: dict[str, str] = {}
    while True:
        plugins = Plugins(found, enabled=enabled, targets=(), failed=failed)
        try:
            theirs = _theirs(plugins, words)
            break
        except PluginFailed as error:
            if error.plugin in failed:
                raise
            failed[error.plugin] = error.reason
    for refusal in plugins.refused:
        print(f"armillary: {refusal.sentence}", file=sys.stderr)
    return [*COMMANDS, *theirs]


def _theirs(plugins: Plugins, words: Collection[str]) -> list[Command]:
    """Ask plugins for their commands; PluginFailed for one whose word is taken."""
    collected = plugins.collect("register_commands")
    collected.sort(key=lambda each: bool(plugins.found[each[0]].distribution))
    taken = set(words)
    for plugin, command in collected:
        if command.name in taken:
            raise PluginFailed(plugin, f"there is a command {command.name} already: rename its own")
        taken.add(command.name)
    return [command for _, command in collected]


def _parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="armillary", description="Workflow orchestration for the unmodified Prefect SDK."
    )
    words = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        word = words.add_parser(command.name, help=command.summary, description=command.summary)
        word.add_argument("--home", metavar="DIR", help="the folder of everything that is kept")
        word.add_argument("--config", metavar="FILE", type=Path, help="the settings file")
        command.arguments(word)
        word.set_defaults(command=command)
    return parser
