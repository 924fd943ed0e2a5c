"""Routes of limits on tags: the older way to say and take them."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.concurrency import limits
from armillary.concurrency.slots import TAG_PREFIX, Limit
from armillary.db.unit import Unit
from armillary.errors import Refused
from armillary.paging import slice_of
from armillary_plugins.concurrency import repository
from armillary_plugins.concurrency.repository import Taken
from armillary_plugins.concurrency.schemas import (
    CreateTagLimit,
    ListLimits,
    ResetTagLimit,
    ShortLimit,
    TagLimit,
    TagSlots,
    checked_name,
    count,
    short,
)

routes = Routes(tag="Concurrency limits on tags")
_SEE = "see_concurrency_limits"
_MANAGE = "manage_concurrency_limits"
_RUN = "run_tasks"
_WAIT = "10.0"


@routes.post("/concurrency_limits/", scope=_MANAGE, answers={201: TagLimit, 200: TagLimit})
async def set_tag_limit(call: Call, body: CreateTagLimit) -> Answer:
    """Limit how many task runs with a tag run, or change that limit."""
    tag, slots = checked_name(body.tag), count(body.concurrency_limit, "concurrency_limit")

    async def work(unit: Unit) -> tuple[TagLimit, bool]:
        limit, new = await repository.set_tag(unit, call.core.ids, tag, slots)
        [made] = await repository.with_holders(unit, [limit])
        return made, new

    shown, new = await call.write(work)
    return Answer.json(shown, 201 if new else 200)


@routes.get("/concurrency_limits/{id:uuid}", scope=_SEE, answers={200: TagLimit})
async def get_tag_limit(call: Call) -> Answer:
    """Read the limit on a tag by its id."""
    return await _shown(call, await repository.find_tag(call.read(), limit_id=call.path["id"]))


@routes.get("/concurrency_limits/tag/{tag}", scope=_SEE, answers={200: TagLimit})
async def get_tag_limit_by_tag(call: Call) -> Answer:
    """Read the limit on a tag."""
    return await _shown(call, await repository.find_tag(call.read(), tag=call.path["tag"]))


async def _shown(call: Call, limit: Limit) -> Answer:
    [shown] = await repository.with_holders(call.read(), [limit])
    return Answer.json(shown)


@routes.post("/concurrency_limits/filter", scope=_SEE, answers={200: list[TagLimit]})
async def list_tag_limits(call: Call, body: ListLimits) -> Answer:
    """List limits on tags."""
    part = slice_of(body.limit, body.offset)
    reader = call.read()
    found = await limits.list_limits(
        reader, limit=part.limit, offset=part.offset, prefix=TAG_PREFIX
    )
    return Answer.json(await repository.with_holders(reader, found))


@routes.post("/concurrency_limits/tag/{tag}/reset", scope=_MANAGE, answers={200: None})
async def reset_tag_limit(call: Call, body: ResetTagLimit) -> Answer:
    """Take every slot back, and give one to each task run that is named."""
    limit = await repository.find_tag(call.read(), tag=call.path["tag"])
    holders = [str(each) for each in body.slot_override or []]
    await call.write(lambda unit: repository.reset_tag(unit, call.core.ids, limit, holders))
    return Answer.json(None)


@routes.delete("/concurrency_limits/{id:uuid}", scope=_MANAGE, answers={200: None})
async def delete_tag_limit(call: Call) -> Answer:
    """Delete the limit on a tag by its id."""
    return await _deleted(call, await repository.find_tag(call.read(), limit_id=call.path["id"]))


@routes.delete("/concurrency_limits/tag/{tag}", scope=_MANAGE, answers={200: None})
async def delete_tag_limit_by_tag(call: Call) -> Answer:
    """Delete the limit on a tag."""
    return await _deleted(call, await repository.find_tag(call.read(), tag=call.path["tag"]))


async def _deleted(call: Call, limit: Limit) -> Answer:
    await call.write(lambda unit: repository.delete_tag(unit, call.core.ids, limit))
    return Answer.json(None)


@routes.post(
    "/concurrency_limits/increment", scope=_RUN, answers={200: list[ShortLimit]}, refuses=(423,)
)
async def take_tag_slots(call: Call, body: TagSlots) -> Answer:
    """Take a slot of each of these tags for a task run, or none."""

    async def work(unit: Unit) -> Taken:
        return await repository.take_tags(unit, call.core.ids, body.names, str(body.task_run_id))

    taken = await call.write(work)
    if any(limit.limit == 0 for limit in taken.full):
        raise Refused(423, "The concurrency limit of one of the tags is 0: no task run of it runs.")
    if taken.full:
        names = ", ".join(limit.name.removeprefix(TAG_PREFIX) for limit in taken.full)
        raise Refused(
            423, f"Every slot of these tags is taken: {names}.", headers={"Retry-After": _WAIT}
        )
    return Answer.json(
        [
            ShortLimit(limit.id, limit.name.removeprefix(TAG_PREFIX), limit.limit)
            for limit in short(taken.found)
        ]
    )


@routes.post("/concurrency_limits/decrement", scope=_RUN, answers={200: list[ShortLimit]})
async def give_tag_slots_back(call: Call, body: TagSlots) -> Answer:
    """Give back what a task run holds of these tags."""

    async def work(unit: Unit) -> list[Limit]:
        return await repository.give_tags_back(unit, body.names, str(body.task_run_id))

    return Answer.json(short(await call.write(work)))
