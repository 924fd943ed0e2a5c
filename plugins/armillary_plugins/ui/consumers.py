"""The consumer that tells open pages what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from armillary import Consumer
from armillary.broker import Message
from armillary.events.envelope import TOPIC
from armillary_plugins.logs.ingest import Batch
from armillary_plugins.logs.news import news_of
from armillary_plugins.ui.streams import DEPLOYMENTS, POOLS, RUNS, message, streams_of

if TYPE_CHECKING:
    from armillary import Core

_FLOW_RUN = "prefect.flow-run."
_TASK_RUN = "prefect.task-run."
_DEPLOYMENT = "prefect.deployment."
_POOL = "prefect.work-pool."
_QUEUE = "prefect.work-queue."
_CONCERNING = (_FLOW_RUN, _TASK_RUN, _DEPLOYMENT, _POOL, _QUEUE)
_ID = "prefect.resource.id"


class _Happened(msgspec.Struct, frozen=True, gc=False):
    """As much of an event as says whose page has changed."""

    event: str
    resource: Mapping[str, str]
    related: Sequence[Mapping[str, str]] = ()


_decode = msgspec.json.Decoder(_Happened).decode


class TellPages(Consumer):
    """Tells pages which runs changed and wrote logs; it has no group, so every process hears."""

    name = "ui"
    topic = TOPIC
    group = None
    batch = 500

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._streams = streams_of(core, core.clock.micros())
        core.metrics.gauge("armillary_page_streams", lambda: len(self._streams))

    async def open(self) -> None:
        """Listen to logs as well: they are no events."""
        await super().open()
        news_of(self.core).listen(self._logged)

    def wind_down(self) -> None:
        """Let the streams end: a page that listens would keep the web server waiting."""
        self._streams.close()

    async def close(self) -> None:
        """Listen no more, and let the streams end."""
        news_of(self.core).leave(self._logged)
        self._streams.close()
        await super().close()

    async def handle(self, messages: Sequence[Message]) -> None:
        """Tell each change once, however many events of a run came together."""
        if self._streams.unheard:
            self._streams.skip(len(messages))
            return
        changes = dict.fromkeys(
            (each.workspace, text) for each in messages for text in changed(each.body)
        )
        for workspace, text in changes:
            self._streams.tell(workspace, text)

    def _logged(self, batch: Batch) -> None:
        if self._streams.unheard:
            self._streams.skip(1)
            return
        runs = dict.fromkeys((row[0], row[6] or row[7]) for row in batch.rows)
        for workspace, run_id in runs:
            if run_id is not None:
                self._streams.tell(workspace, message("logs", run_id))


def changed(body: str) -> list[str]:
    """Say which pages an event concerns."""
    if not any(word in body for word in _CONCERNING):
        return []
    happened = _decode(body)
    own = happened.resource.get(_ID, "")
    if happened.event.startswith(_FLOW_RUN) and own.startswith(_FLOW_RUN):
        return [message("run", own.removeprefix(_FLOW_RUN)), RUNS]
    if happened.event.startswith(_TASK_RUN) and own.startswith(_TASK_RUN):
        around = (one.get(_ID, "") for one in happened.related)
        runs = [one.removeprefix(_FLOW_RUN) for one in around if one.startswith(_FLOW_RUN)]
        return [message("run", runs[0] if runs else own.removeprefix(_TASK_RUN))]
    if happened.event.startswith(_DEPLOYMENT) and own.startswith(_DEPLOYMENT):
        return [DEPLOYMENTS]
    if happened.event.startswith((_POOL, _QUEUE)):
        return [POOLS]
    return []
