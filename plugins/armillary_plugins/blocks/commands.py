"""`armillary blocks`: the key that stored secrets are encrypted with."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from armillary.command import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from armillary.core import Core
    from armillary.discovery import Found
    from armillary.settings import Settings

_VERBS = {
    "rotate": "encrypt every block anew: under a new key, or the first of those given",
    "key": "print a new key, for ARMILLARY_ENCRYPTION_KEY",
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(f"  {verb:<8} {what}" for verb, what in _VERBS.items())
    parser.add_argument("verb", choices=_VERBS, metavar="VERB", help="one of the words below")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.verb == "key":
        from armillary_plugins.blocks.encryption import new_key

        print(new_key())
        return 0
    from armillary.commands import settings_of

    settings, found = settings_of(arguments)
    for line in rotate(settings, found):
        print(line)
    return 0


def rotate(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Encrypt every block anew, without a server; ConfigError while one runs.

    A new key is in the file before anything is encrypted with it, and an old one leaves the file
    when nothing is encrypted with it any more: whenever this ends, every block can be read.
    """
    from armillary.database_command import alone, refuse_if_used, with_database
    from armillary.db.migrate import applied
    from armillary_plugins.blocks import key_file
    from armillary_plugins.blocks.encryption import Cipher, new_key
    from armillary_plugins.blocks.repository.rotation import rotate as encrypt_anew
    from armillary_plugins.blocks.repository.vault import Vault, key_path

    path = key_path(settings)

    async def work(core: Core) -> list[str]:
        await refuse_if_used(core.database)
        vault = Vault(settings)
        made = any(owner == "blocks" for owner, _ in await applied(core.database))
        if not made or not await vault.unlocks(core.database.read(None)):
            return ["there is nothing to encrypt yet"]
        kept = key_file.keys_in(path)
        if not settings.encryption_key:
            kept = [new_key(), *kept]
            key_file.replace(path, kept)
        done = await encrypt_anew(core.database, Cipher(vault.keys()))
        lines = [f"{done.documents} blocks, {done.changed} of them encrypted anew"]
        if done.lost:
            lines.append(f"{done.lost} of them cannot be decrypted by any key and stay as they are")
        if settings.encryption_key:
            unused = f"; {path} is not" if kept else ""
            return [*lines, f"the first key of ARMILLARY_ENCRYPTION_KEY is needed{unused}"]
        key_file.replace(path, kept[:1])
        return [*lines, f"the key in {path} is a new one: put it into your backup"]

    with alone(settings):
        return with_database(settings, found, work)


COMMANDS: tuple[Command, ...] = (
    Command(
        name="blocks",
        summary="see to the key that stored secrets are encrypted with",
        run=_run,
        arguments=_arguments,
    ),
)
