"""What cancellation_cleanup gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.jobs import Job
    from armillary.orchestration.rule import Rule


@hookimpl
def register_rules() -> list[type[Rule]]:
    """The rule by which a cancellation is looked at again when its time is up."""
    from armillary_plugins.cancellation_cleanup.rules import CancellationsEndInTime

    return [CancellationsEndInTime]


@hookimpl
def register_jobs(core: Core) -> list[Job]:  # noqa: ARG001 - a job is given it
    """The job that ends a cancellation nobody ends."""
    from armillary_plugins.cancellation_cleanup.jobs import END_CANCELLATION

    return [END_CANCELLATION]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The three loops."""
    from armillary_plugins.cancellation_cleanup.config import Config
    from armillary_plugins.cancellation_cleanup.services import (
        CancelChildTaskRuns,
        CancelSubflowRuns,
        SeeToCancellations,
    )

    return [
        CancelChildTaskRuns(core, core.config(Config)),
        CancelSubflowRuns(core, core.config(Config)),
        SeeToCancellations(core, core.config(Config)),
    ]
