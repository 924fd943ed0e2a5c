"""What can be done with a flow run on its page: try it again, cancel it, delete it."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.errors import NotFound, Refused, RunNotFound
from armillary.forms import Form
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import Proposal, StateDetails, StateType, propose
from armillary_plugins.ui.actions import confirmed, see_other
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.repository import run as repository
from armillary_plugins.ui.site import site_of
from armillary_web.pages import Question

routes = Routes(tag="Pages", mount="")
_RUN = "/runs/flow-run/{id:uuid}"


@routes.post(f"{_RUN}/retry", scope="run_flows")
async def retry(call: Call, body: Form) -> Answer:  # noqa: ARG001 - it says nothing
    """Let a run that has ended be tried again."""
    details = StateDetails(scheduled_time=call.core.clock.now())
    await _propose(call, propose(StateType.SCHEDULED, name="AwaitingRetry", details=details))
    return see_other(call, _path(call))


@routes.post(f"{_RUN}/cancel", scope="run_flows")
async def cancel(call: Call, body: Form) -> Answer:
    """Cancel a run, after it was asked whether that is meant."""
    if not confirmed(body):
        return await _ask(call, "Cancel", "cancel", "What it is doing is ended, and not undone.")
    await _propose(call, propose(StateType.CANCELLING))
    return see_other(call, _path(call))


@routes.post(f"{_RUN}/delete", scope="manage_flows")
async def delete(call: Call, body: Form) -> Answer:
    """Delete a run with its task runs and log, after it was asked whether that is meant."""
    if not confirmed(body):
        return await _ask(
            call, "Delete", "delete", "Its states, task runs and log go with it, for good."
        )
    run_id = call.path["id"]
    if not await call.write(lambda unit: call.core.deletions.delete_flow_run(unit, run_id)):
        raise _missing(run_id)
    return see_other(call, "/runs")


def _path(call: Call) -> str:
    return f"/runs/flow-run/{call.path['id']}"


def _missing(run_id: str) -> NotFound:
    return NotFound(f"There is no flow run {run_id}: it was deleted, or belongs to another server.")


async def _ask(call: Call, word: str, action: str, consequence: str) -> Answer:
    """Ask once more, where no script has."""
    row = await repository.read_flow_run(call.read(), call.path["id"])
    if row is None:
        raise _missing(call.path["id"])
    site = site_of(call.core)
    shell = site.shell(call, "/runs", live=False)
    question = Question(
        title=f"{word} {row[1]}?",
        consequence=consequence,
        word=word,
        action_path=f"{_path(call)}/{action}",
        back_path=_path(call),
    )
    return html_answer(call, site.render("confirm", shell=shell, question=question))


async def _propose(call: Call, proposal: Proposal) -> None:
    """Propose a state; Refused says why the run does not take it."""
    run_id = call.path["id"]
    try:
        decided = await call.core.gate.set_flow_run_state(
            FlowRunProposal(
                workspace=call.workspace,
                run_id=run_id,
                proposal=proposal,
                policy="core",
                client=call.client,
            )
        )
    except RunNotFound as error:
        raise _missing(run_id) from error
    if not decided.written:
        reason = getattr(decided.details, "reason", "its state does not allow it.")
        raise Refused(409, f"The run stays as it is: {reason}")
