"""Routes about the server itself."""

from __future__ import annotations

from uuid import UUID

import msgspec

from armillary.api import Answer, Body, Call, Routes
from armillary.errors import ArmillaryError, NotFound, Refused, Unavailable
from armillary.jobs.store import count_dead
from armillary.settings import effective
from armillary.system import storage
from armillary.system.versions import API_VERSION, PREFECT_VERSION

routes = Routes(tag="Admin")
_DEAD = 100
"""Dead jobs that are counted."""
_DEAD_JOBS = "Jobs that failed in every attempt: {}; the page /system tells why, and what helps."


class ResultStorage(Body):
    """The block document results are stored with where a flow names none."""

    default_result_storage_block_id: UUID | None = None


class Asking(msgspec.Struct, frozen=True):
    """For whom a token is asked for."""

    client: str


class Message(msgspec.Struct, frozen=True):
    """A sentence."""

    message: str


@routes.get("/health", scope=None, answers={200: bool})
async def health(call: Call) -> Answer:  # noqa: ARG001 - the process answers, that is all
    """Tell that the process answers."""
    return Answer.json(value=True)


class Ready(msgspec.Struct, frozen=True, omit_defaults=True):
    """That requests are served, and what is missing nonetheless."""

    message: str
    warnings: tuple[str, ...] = ()
    """A sentence for each plugin that is left out, and one for jobs that are dead."""


@routes.get("/ready", scope=None, answers={200: Ready, 503: Message})
async def ready(call: Call) -> Answer:
    """Tell whether requests can be served: the database answers, and every plugin's check."""
    try:
        dead = await count_dead(call.core.database.read(None), most=_DEAD)
        problems = [
            f"{check.name}: {problem}"
            for check in call.core.checks
            if (problem := await check.passes()) is not None
        ]
    except ArmillaryError:
        return _not_ready("Database is not available")
    if problems:
        return _not_ready("; ".join(problems))
    warnings = [refusal.sentence for refusal in call.core.plugins.refused]
    if dead:
        warnings.append(_DEAD_JOBS.format(f"{dead} or more" if dead == _DEAD else dead))
    return Answer.json(Ready("OK", tuple(warnings)))


def _not_ready(reason: str) -> Answer:
    answer = Answer.json(Message(reason), 503)
    answer.headers = Unavailable.headers
    return answer


@routes.get("/hello", scope=None, answers={200: str})
async def hello(call: Call) -> Answer:  # noqa: ARG001 - it only greets
    """Greet."""
    return Answer.json("Armillary is here 👋")


@routes.get("/version", scope="see_flows", answers={200: str})
async def api_version(call: Call) -> Answer:  # noqa: ARG001 - the same for everybody
    """Name the version of the API."""
    return Answer.json(API_VERSION)


@routes.get("/admin/version", scope="see_flows", answers={200: str})
async def server_version(call: Call) -> Answer:  # noqa: ARG001 - the same for everybody
    """Name the Prefect release this server is compatible with."""
    return Answer.json(PREFECT_VERSION)


@routes.get("/admin/settings", scope="see_workspace_settings", answers={200: dict})
async def settings(call: Call) -> Answer:
    """Show the effective settings, secrets masked.  Clients look for ``analytics_enabled``."""
    rows = effective(call.core.settings)
    return Answer.json(
        {
            "server": {"analytics_enabled": False},
            "armillary": {name: value for name, value, _ in rows},
        }
    )


@routes.get("/csrf-token", scope=None, answers={200: dict})
async def csrf_token(call: Call, *, query: Asking) -> Answer:  # noqa: ARG001 - see below
    """Say that no token is needed: other sites are refused by their origin."""
    raise Refused(422, "CSRF protection is disabled.")


@routes.get("/admin/storage", scope="see_workspace_settings", answers={200: ResultStorage})
async def read_storage(call: Call) -> Answer:
    """Name the default result storage; null if there is none."""
    found = await storage.default_block(call.read())
    return Answer.json(ResultStorage(default_result_storage_block_id=found))


@routes.put(
    "/admin/storage", scope="write_workspace_settings", answers={200: ResultStorage}, refuses=(404,)
)
async def set_storage(call: Call, body: ResultStorage) -> Answer:
    """Choose the default result storage; null clears it."""
    chosen = body.default_result_storage_block_id
    if chosen is None:
        await call.write(storage.clear)
        return Answer.json(body)
    able = await call.core.blocks.capabilities(call.read(), str(chosen))
    if able is None:
        message = f"Block document {chosen} not found."
        raise NotFound(message)
    if "write-path" not in able:
        raise Refused(422, f"Block document {chosen} cannot keep results: it has no 'write-path'.")
    await call.write(lambda unit: storage.choose(unit, str(chosen)))
    return Answer.json(body)


@routes.delete("/admin/storage", scope="write_workspace_settings")
async def delete_storage(call: Call) -> Answer:
    """Clear the default result storage."""
    await call.write(storage.clear)
    return Answer.empty()


@routes.get("/metrics", scope="see_workspace_settings", answers={200: None})
async def metrics(call: Call) -> Answer:
    """Show counters and timers for Prometheus."""
    return Answer.text(call.core.metrics.text())
