"""What an automation does: every kind of action, as it is stored and answered."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from armillary.criteria import StateTypeName

Source: TypeAlias = Literal["selected", "inferred"]
"""Whether what is acted on is named, or taken from the event that led to it."""


class Action(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something to do."""


class DoNothing(Action, frozen=True, tag="do-nothing"):
    """Nothing."""


class OnDeployment(Action, frozen=True, kw_only=True):
    """Something done to a deployment."""

    source: Source = "selected"
    deployment_id: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse an id too few or too many."""
        _check_id(self, "deployment_id")


class RunDeployment(OnDeployment, frozen=True, kw_only=True, tag="run-deployment"):
    """Make a run, ``schedule_after`` seconds from then on."""

    parameters: dict[str, msgspec.Raw] | None = None
    job_variables: dict[str, msgspec.Raw] | None = None
    schedule_after: float = 0.0


class PauseDeployment(OnDeployment, frozen=True, kw_only=True, tag="pause-deployment"):
    """Make no more runs by its schedules."""


class ResumeDeployment(OnDeployment, frozen=True, kw_only=True, tag="resume-deployment"):
    """Make runs by its schedules again."""


class CancelFlowRun(Action, frozen=True, tag="cancel-flow-run"):
    """Cancel the run the event is about."""


class SuspendFlowRun(Action, frozen=True, tag="suspend-flow-run"):
    """Suspend the run the event is about."""


class ResumeFlowRun(Action, frozen=True, tag="resume-flow-run"):
    """Resume the run the event is about."""


class DeleteFlowRun(Action, frozen=True, tag="delete-flow-run"):
    """Delete the run the event is about."""


class ChangeFlowRunState(Action, frozen=True, kw_only=True, tag="change-flow-run-state"):
    """Give the run the event is about a state."""

    name: str | None = None
    state: StateTypeName
    message: str | None = None
    force: bool = False


class OnWorkPool(Action, frozen=True, kw_only=True):
    """Something done to a work pool."""

    source: Source = "selected"
    work_pool_id: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse an id too few or too many."""
        _check_id(self, "work_pool_id")


class PauseWorkPool(OnWorkPool, frozen=True, kw_only=True, tag="pause-work-pool"):
    """Give its workers no runs."""


class ResumeWorkPool(OnWorkPool, frozen=True, kw_only=True, tag="resume-work-pool"):
    """Give its workers runs again."""


class OnWorkQueue(Action, frozen=True, kw_only=True):
    """Something done to a queue."""

    source: Source = "selected"
    work_queue_id: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse an id too few or too many."""
        _check_id(self, "work_queue_id")


class PauseWorkQueue(OnWorkQueue, frozen=True, kw_only=True, tag="pause-work-queue"):
    """Give out no runs of it."""


class ResumeWorkQueue(OnWorkQueue, frozen=True, kw_only=True, tag="resume-work-queue"):
    """Give out runs of it again."""


class OnAutomation(Action, frozen=True, kw_only=True):
    """Something done to an automation."""

    source: Source = "selected"
    automation_id: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse an id too few or too many."""
        _check_id(self, "automation_id")


class PauseAutomation(OnAutomation, frozen=True, kw_only=True, tag="pause-automation"):
    """Disable it."""


class ResumeAutomation(OnAutomation, frozen=True, kw_only=True, tag="resume-automation"):
    """Enable it."""


class CallWebhook(Action, frozen=True, kw_only=True, tag="call-webhook"):
    """Call what a block describes; ``payload`` is a template."""

    block_document_id: UUID
    payload: str = ""


class SendNotification(Action, frozen=True, kw_only=True, tag="send-notification"):
    """Say something by a block that can; ``subject`` and ``body`` are templates."""

    block_document_id: UUID
    subject: str = "Prefect automated notification"
    body: str


AnyAction: TypeAlias = (
    DoNothing
    | RunDeployment
    | PauseDeployment
    | ResumeDeployment
    | CancelFlowRun
    | DeleteFlowRun
    | ChangeFlowRunState
    | PauseWorkQueue
    | ResumeWorkQueue
    | SendNotification
    | CallWebhook
    | PauseAutomation
    | ResumeAutomation
    | SuspendFlowRun
    | ResumeFlowRun
    | PauseWorkPool
    | ResumeWorkPool
)


def _check_id(action: Any, name: str) -> None:
    given = getattr(action, name) is not None
    if given != (action.source == "selected"):
        why = "inferred" if given else "selected"
        raise ValueError(
            f"{name} is {'not allowed' if given else 'required'}: the source is {why!r}"
        )
