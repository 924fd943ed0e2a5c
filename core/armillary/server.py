"""Starts and stops everything one process runs.

::

    listen ──▶ lock the home ──▶ open and migrate ──▶ services ──▶ answer requests
                                  (assembling.py)                       │ signal, or a failure
    let go ◀── close the database ◀── stop services ◀── answer what has begun

The socket listens before anything heavy is imported, so that an early client waits instead of
being refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from armillary.db.engine import file_of
from armillary.discovery import Found
from armillary.errors import ArmillaryError
from armillary.greeting import greeting, open_browser
from armillary.home import HomeLock
from armillary.listening import address_of, listening
from armillary.open_files import allow_many
from armillary.plugins import Names
from armillary.services.service import Service
from armillary.services.supervisor import Supervisor
from armillary.settings import Settings

if TYPE_CHECKING:
    from armillary.core import Core
    from armillary.front import Front
    from armillary.web_server import Web

_RESERVED = 200
"""Open files that are not for connections: databases, their temporary files, logs."""
_log = logging.getLogger("armillary.server")

Say = Callable[[str], None]


def serve(settings: Settings, found: Mapping[str, Found], *, say: Say) -> int:
    """Run this process's share until it is told to stop; return the exit code."""
    return run_loop(_serve(settings, found, say=say))


def run_loop(main: Coroutine[Any, Any, int]) -> int:
    """Run on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


async def _serve(settings: Settings, found: Mapping[str, Found], *, say: Say) -> int:
    open_files = allow_many()
    with contextlib.ExitStack() as held:
        stop = held.enter_context(_told_to_stop())
        if works_elsewhere(settings, found):
            return await _work_elsewhere(settings, found, stop, say=say)
        sock = held.enter_context(listening(settings.server))
        file = file_of(settings.database_url)
        if file is not None:
            held.enter_context(HomeLock(file, address_of(settings.server, sock)))
        from armillary.assembling import assembled, tell  # noqa: PLC0415 - after the socket listens

        core, share = await assembled(settings, found, partial(_share, sock=sock))
        try:
            await tell(core)
            return await _run(core, share, stop, open_files=open_files, say=say)
        finally:
            await core.close()


class _Share(msgspec.Struct, frozen=True):
    """What this process runs: the services, and the app where it answers requests."""

    services: list[Service]
    sock: socket.socket
    app: Front | None = None


def _share(core: Core, *, sock: socket.socket) -> _Share:
    core.address = address_of(core.settings.server, sock)
    services = services_of(core)
    if not serves_requests(core):
        return _Share(services, sock)
    from armillary.app import build  # noqa: PLC0415 - heavy, and only where requests come

    app = build(core)
    # their hooks are asked now, while a plugin can be left out
    core.checks, core.variables  # noqa: B018
    return _Share(services, sock, app)


def works_elsewhere(settings: Settings, found: Mapping[str, Found]) -> bool:
    """Tell whether all that runs here works for a server elsewhere, and needs no database."""
    names = Names(found)
    targets = [found.get(names.target(name, where="--target")) for name in settings.targets]
    return all(
        plugin is not None
        and plugin.manifest.elsewhere is not None
        and f"{plugin.name}.{plugin.manifest.elsewhere}" in settings.origins
        for plugin in targets
    )


async def _work_elsewhere(
    settings: Settings, found: Mapping[str, Found], stop: asyncio.Event, *, say: Say
) -> int:
    """Run services that bring their own way to a server."""
    from armillary.core import Core  # noqa: PLC0415 - not before it is needed

    core = Core.create(settings, found=found)
    for refusal in core.plugins.refused:
        _log.warning("%s", refusal.sentence)
    supervisor = Supervisor(core.collect("register_services", core))
    await supervisor.start()
    try:
        names = ", ".join(service.name for service in supervisor.services)
        say(f"\n  Armillary runs here: {names}.  Ctrl+C ends it.\n")
        code = await _until_stopped(supervisor, None, stop)
        await supervisor.drain()
        return code
    finally:
        supervisor.wind_down()
        await supervisor.stop()


async def _run(core: Core, share: _Share, stop: asyncio.Event, *, open_files: int, say: Say) -> int:
    supervisor = Supervisor(share.services)
    await core.broker.start(absent=await held_for(core))
    await supervisor.start()
    web: Web | None = None
    try:
        if share.app is not None:
            room = max(open_files - _RESERVED, open_files // 2)
            from armillary.web_server import Web  # noqa: PLC0415 - heavy, as the app is

            web = Web(core, share.app, share.sock, room=room)
            await web.start()
        _settle()
        say("\n".join(greeting(core, share.services, core.address if web else None)))
        if web is not None and core.settings.server.browser and core.plugins.here("ui"):
            open_browser(core.address)
        code = await _until_stopped(supervisor, web, stop)
        await supervisor.drain()
        return code
    finally:
        supervisor.wind_down()
        if web is not None:
            await web.stop()
        await supervisor.stop()


async def _until_stopped(supervisor: Supervisor, web: Web | None, stop: asyncio.Event) -> int:
    told = asyncio.create_task(stop.wait())
    waiting: set[asyncio.Future[Any]] = {told, supervisor.failure}
    if web is not None:
        waiting |= {web.task, web.looking}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
    if stop.is_set():
        return 0
    failure = supervisor.failure
    if failure.done():
        error = failure.result()
        # A deliberate one says what to do; where it was raised tells nobody more.
        trace = None if isinstance(error.__cause__, ArmillaryError) else error.__cause__
        _log.error("%s Everything stops.", error, exc_info=trace)
    else:
        _log.error("the web server ended by itself; everything stops")
    return 1


def services_of(core: Core) -> list[Service]:
    """Return what runs beside requests in this process, in the order it is started."""
    services: list[Service] = []
    if file_of(core.settings.database_url) is None:
        from armillary.services.presence import Presence  # noqa: PLC0415 - not for a file

        services.append(Presence(core))
    services += core.collect("register_services", core)
    services += core.collect("register_consumers", core)
    if any("register_jobs" in core.plugins.hooks(name) for name in core.plugins.enabled):
        from armillary.jobs.worker import workers  # noqa: PLC0415 - SAQ, only where there are jobs

        services += workers(core)
    return services


async def held_for(core: Core) -> list[str]:
    """Name the plugins whose consumers do not run here, and find all they missed when they do.

    They run elsewhere, or are left out and will be repaired; what was removed is not waited for.
    """
    plugins = core.plugins
    elsewhere = [
        name
        for name in plugins.enabled
        if "register_consumers" in plugins.hooks(name)
        and not plugins.runs(name, "register_consumers")
    ]
    left_out = {refusal.plugin for refusal in plugins.refused}
    return [*elsewhere, *sorted(left_out & await core.broker.readers())] if left_out else elsewhere


def serves_requests(core: Core) -> bool:
    """Tell whether this process answers requests: it has routes, or was given a port."""
    return core.plugins.serves_http() or "server.port" in core.settings.origins


@contextlib.contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Turn SIGINT and SIGTERM into an event; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        try:
            loop.add_signal_handler(number, told)
        except (NotImplementedError, RuntimeError):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told))
    try:
        yield stop
    finally:
        for number in signals:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def _settle() -> None:
    """Everything loaded so far stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
