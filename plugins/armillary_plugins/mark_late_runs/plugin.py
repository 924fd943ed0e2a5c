"""What mark_late_runs gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that looks for them."""
    from armillary_plugins.mark_late_runs.config import Config
    from armillary_plugins.mark_late_runs.services import MarkLateRuns

    return [MarkLateRuns(core, core.config(Config))]
