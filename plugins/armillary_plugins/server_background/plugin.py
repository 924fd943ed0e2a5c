"""What server_background gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core
    from armillary.jobs import Job


@hookimpl
def register_jobs(core: Core) -> list[Job]:  # noqa: ARG001 - a job is given it
    """The job that deletes what hangs below deleted things."""
    from armillary_plugins.server_background.jobs import DELETE_BELOW

    return [DELETE_BELOW]
