"""The socket of a process that answers requests, and the address people know it by."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator

from armillary.errors import ConfigError
from armillary.hosts import is_loopback
from armillary.settings import ServerSettings

BACKLOG = 2048
"""Connections that wait to be accepted."""
_UNSENT = 256 * 1024
"""Bytes for one client in the system; what is beyond is noticed as not taken."""


@contextlib.contextmanager
def listening(settings: ServerSettings) -> Iterator[socket.socket]:
    """Listen at the address; ConfigError says why that cannot be and what else to choose."""
    _refuse_strangers(settings)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        message = f"The address {settings.host} cannot be used ({error}): choose another --host."
        raise ConfigError(message) from error
    with sock:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What waits in the system for a client to read is memory too, by default megabytes each;
        # connections have what their listener has.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # What we have closed, and nobody takes, the system would keep for minutes.
            patience = max(1, int(settings.patience * 1000))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)
        try:
            sock.bind(address)
            sock.listen(BACKLOG)
        except OSError as error:
            message = (
                f"Port {settings.port} of {settings.host} cannot be listened at "
                f"({error.strerror or error}): stop what uses it, or choose another with --port, "
                f"for example --port {settings.port + 100}."
            )
            raise ConfigError(message) from error
        sock.setblocking(False)
        yield sock


def _refuse_strangers(settings: ServerSettings) -> None:
    """There is no login yet: only this machine gets in, unless somebody insists."""
    if not is_loopback(settings.host) and not settings.insecure:
        message = (
            f"Whoever reaches {settings.host} could do everything here, since no login is set "
            "up: listen at 127.0.0.1, or say --insecure if the network is yours."
        )
        raise ConfigError(message)


def address_of(settings: ServerSettings, sock: socket.socket) -> str:
    """Return where a person of this machine opens it."""
    host = settings.host
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}{settings.base_path.rstrip('/')}"
