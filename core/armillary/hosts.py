"""Under which names a server is asked: a stranger's name that leads here is a stranger's page.

A browser lets a page ask the host it came from.  Whoever owns ``example.com`` can have it lead to
127.0.0.1 once the page is loaded (DNS rebinding), and every other check takes that page for ours.
What it cannot change is the name the browser asks for.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from armillary.errors import Refused
from armillary.settings import ServerSettings

_RESERVED = (".localhost", ".local", ".internal", ".test", ".home.arpa")
"""Names without an owner: RFC 6761, 6762 and 8375, and ICANN's resolution of 29 July 2024."""


class Hosts:
    """The names of one server: those nobody can own, and those its settings give.

    At an address that others reach only the settings restrict them: it is named by its network.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in settings.names)
        self._restricted = bool(self._names) or is_loopback(settings.host)

    def refuse_strange(self, host: str | None) -> None:
        """Let nobody ask under a name that is not ours; Refused (403) says how to make it so."""
        if not self._restricted or not host:
            return
        name = _name_of(host)
        if not _has_no_owner(name) and name not in self._names:
            raise Refused(
                403,
                f"This server is not known as {name}. If that is its name, of a proxy for example,"
                " add it to the setting server.names.",
            )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=256)
def _name_of(host: str) -> str:
    """Take the port off what a Host header says."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


@lru_cache(maxsize=256)
def _has_no_owner(name: str) -> bool:
    """Tell whether nobody can have a name lead where they like: a number, one word, reserved."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_RESERVED)
    return True
