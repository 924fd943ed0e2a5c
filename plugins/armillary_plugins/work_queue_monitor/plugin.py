"""What work_queue_monitor gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that watches them."""
    from armillary_plugins.work_queue_monitor.config import Config
    from armillary_plugins.work_queue_monitor.services import WatchWork

    return [WatchWork(core, core.config(Config))]
