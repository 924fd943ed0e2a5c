"""What scheduler gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The two loops."""
    from armillary_plugins.scheduler.config import Config
    from armillary_plugins.scheduler.services import ScheduleDeployments, ScheduleRecentDeployments

    config = core.config(Config)
    return [ScheduleDeployments(core, config), ScheduleRecentDeployments(core, config)]
