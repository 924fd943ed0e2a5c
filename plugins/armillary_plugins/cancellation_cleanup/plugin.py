"""What cancellation_cleanup gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The three loops."""
    from armillary_plugins.cancellation_cleanup.config import Config
    from armillary_plugins.cancellation_cleanup.services import (
        CancelChildTaskRuns,
        CancelSubflowRuns,
        EndCancellations,
    )

    return [
        CancelChildTaskRuns(core, core.config(Config)),
        CancelSubflowRuns(core, core.config(Config)),
        EndCancellations(core, core.config(Config)),
    ]
