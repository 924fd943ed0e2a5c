"""Routes of automations, of what they are about, and of the templates in them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.db.filters import TRUE
from armillary.db.unit import Unit
from armillary.deployments.checking import Unfit
from armillary.deployments.job_variables import (
    BlockMissing,
    JobVariableError,
    check_job_variables,
    variables_of,
)
from armillary.errors import NotFound
from armillary.paging import slice_of
from armillary_plugins.automations import repository
from armillary_plugins.automations.action_schemas import AnyAction, RunDeployment
from armillary_plugins.automations.schemas import (
    Automation,
    CountAutomations,
    CreateAutomation,
    FilterAutomations,
    PatchAutomation,
    TemplateFaultTold,
    TemplateRefusal,
    UpdateAutomation,
    check_length,
)
from armillary_plugins.automations.templates import TemplateFault, check

routes = Routes(tag="Automations")
_SEE = "see_automations"
_MANAGE = "manage_automations"
_CHECKED = {204: None, 422: dict}
"""What is refused is a `TemplateRefusal`, or, where it was no text at all, a bad request."""
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@routes.post("/automations/", scope=_MANAGE, answers={201: Automation}, refuses=(404,))
async def create_automation(call: Call, body: CreateAutomation) -> Answer:
    """Create an automation; what waits for its trigger does so from now on."""
    ids, owner = call.core.ids, body.owner_resource
    check_length(owner or "", "owner_resource")
    draft = body.draft(ids.uuid4)
    await _check_job_variables(call, draft.actions)
    created = await call.write(lambda unit: repository.create(unit, ids, draft, owner))
    return Answer.json(created, 201)


@routes.put("/automations/{id:uuid}", scope=_MANAGE, answers={204: None})
async def replace_automation(call: Call, body: UpdateAutomation) -> Answer:
    """Make an automation another; what it has seen so far counts no more."""
    ids, automation_id = call.core.ids, call.path["id"]
    draft = body.draft(ids.uuid4)
    await repository.read_automation(call.read(), automation_id)
    await _check_job_variables(call, draft.actions)
    await call.write(lambda unit: repository.replace(unit, ids, automation_id, draft))
    return Answer.empty()


@routes.patch("/automations/{id:uuid}", scope=_MANAGE)
async def patch_automation(call: Call, body: PatchAutomation) -> Answer:
    """Enable or disable an automation."""

    async def work(unit: Unit) -> None:
        await repository.set_enabled(unit, call.core.ids, call.path["id"], body.enabled)

    await call.write(work)
    return Answer.empty()


@routes.delete("/automations/{id:uuid}", scope=_MANAGE)
async def delete_automation(call: Call) -> Answer:
    """Delete an automation."""

    async def work(unit: Unit) -> None:
        core = call.core
        await repository.delete(unit, core.ids, call.path["id"], core.deletions)

    await call.write(work)
    return Answer.empty()


@routes.get("/automations/{id:uuid}", scope=_SEE, answers={200: Automation})
async def get_automation(call: Call) -> Answer:
    """Read an automation."""
    return Answer.json(await repository.read_automation(call.read(), call.path["id"]))


@routes.post("/automations/filter", scope=_SEE, answers={200: list[Automation]})
async def list_automations(call: Call, body: FilterAutomations) -> Answer:
    """List automations that meet a filter."""
    condition = TRUE if body.automations is None else body.automations.on()
    span = slice_of(body.limit, body.offset)
    found = await repository.list_automations(call.read(), condition, body.sort, span)
    return Answer.json(found)


@routes.post("/automations/count", scope=_SEE, answers={200: int})
async def count_automations(call: Call, body: CountAutomations) -> Answer:
    """Count automations that meet a filter."""
    condition = TRUE if body.automations is None else body.automations.on()
    return Answer.json(await repository.count_automations(call.read(), condition))


@routes.delete("/automations/owned-by/{resource_id}", scope=_MANAGE, answers={202: None})
async def delete_owned(call: Call) -> Answer:
    """Delete the automations a resource owns by now, such as a deployment's that is made anew."""

    async def work(unit: Unit) -> None:
        core, owner = call.core, call.path["resource_id"]
        await repository.delete_owned(
            unit, core.ids, owner, until=call.received, deletions=core.deletions
        )

    await call.write(work)
    return Answer.json(None, 202)


@routes.get("/automations/related-to/{resource_id}", scope=_SEE, answers={200: list[Automation]})
async def list_related(call: Call) -> Answer:
    """List the automations that act on a resource by name, or are owned by it."""
    return Answer.json(await repository.list_related(call.read(), call.path["resource_id"]))


@routes.post("/automations/templates/validate", scope=_SEE, answers=_CHECKED)
async def check_action_template(call: Call, body: str) -> Answer:  # noqa: ARG001 - is about nobody
    """Say whether a text is a template; the older place of the same."""
    return _checked(body)


@routes.post("/templates/validate", scope=_SEE, answers=_CHECKED)
async def check_template(call: Call, body: str) -> Answer:  # noqa: ARG001 - is about nobody
    """Say whether a text is a template."""
    return _checked(body)


def _checked(template: str) -> Answer:
    try:
        check(template)
    except TemplateFault as error:
        told = TemplateFaultTold(line=error.line, message=str(error), source=template)
        return Answer.json(TemplateRefusal(told), 422)
    return Answer.empty()


async def _check_job_variables(call: Call, actions: Iterable[AnyAction]) -> None:
    """Hold what runs are to be given against the pools of their deployments."""
    reader, problems = call.read(), list[str]()
    for action in actions:
        if not isinstance(action, RunDeployment) or not action.job_variables:
            continue
        found = await repository.job_variables_of(reader, str(action.deployment_id))
        if found is None:
            raise NotFound("Deployment not found.")
        if found[1] is None:
            continue
        variables = variables_of(found[1].encode())
        try:
            check_job_variables(
                variables,
                _object(found[0]),
                action.job_variables,
                require=True,
                blocks=await call.core.blocks.behind(reader, variables),
            )
        except JobVariableError as error:
            problems.append(str(error))
        except BlockMissing as error:
            raise NotFound(str(error)) from error
    if problems:
        raise Unfit(f"Error creating automation: {' '.join(problems)}")
