"""What a core knows of itself as what the page of the system shows."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING

from armillary import Consumer, LoopService, Service
from armillary.clock import from_micros, maybe_moment
from armillary.deleting.deletions import finishes_deletion
from armillary.jobs.reading import JobShown, Total
from armillary.services.supervisor import supervisor_of
from armillary.settings import hide_password
from armillary.system.versions import API_VERSION, PREFECT_VERSION
from armillary_plugins.ui.system_schemas import (
    Facts,
    JobRow,
    PluginRow,
    QueueTotals,
    ServiceRow,
    ServiceState,
)

if TYPE_CHECKING:
    from armillary import Core
    from armillary_plugins.ui.repository.system import Store

_TURNS_MISSED = 3
_BESIDE = 30_000_000
"""Microseconds a turn may take besides."""
_CORE = "core"
_RUNNING_KINDS = frozenset({"loop", "consumer", "jobs"})


def service_rows(core: Core, *, now: int) -> tuple[ServiceRow, ...]:
    """Show the services of this process, then those of plugins that run elsewhere."""
    supervisor = supervisor_of(core)
    here = supervisor.services if supervisor is not None else []
    since = now if supervisor is None or supervisor.since is None else supervisor.since
    rows = [_service_row(core, service, since=since, now=now) for service in here]
    running = {row.plugin for row in rows}
    rows += [
        ServiceRow(name=name, plugin=name, kind=", ".join(kinds), state="elsewhere")
        for name in core.plugins.enabled
        if name not in running
        and (kinds := [kind for kind in core.plugins.kinds(name) if kind in _RUNNING_KINDS])
    ]
    return tuple(rows)


def _service_row(core: Core, service: Service, *, since: int, now: int) -> ServiceRow:
    record = service.record
    interval = service.interval if isinstance(service, LoopService) else None
    lag: tuple[int | None, bool] = (None, False)
    left_out = 0.0
    if isinstance(service, Consumer):
        lag = service.subscription.waiting
        left_out = core.metrics.value("armillary_consumer_left_out_total", consumer=service.name)
    plugin = service.name.partition(".")[0]
    return ServiceRow(
        name=service.name,
        plugin=plugin if plugin in core.plugins.found else _CORE,
        kind=_kind(service),
        state=_state(service, interval, since=since, now=now),
        interval=interval,
        last=maybe_moment(record.done),
        times=record.times,
        failures=record.failures,
        failed=maybe_moment(record.failed),
        error=record.error,
        lag=lag[0],
        lag_more=lag[1],
        left_out=int(left_out),
    )


def _kind(service: Service) -> str:
    if isinstance(service, LoopService):
        return "loop"
    if isinstance(service, Consumer):
        return "consumer"
    return "jobs" if service.name.endswith(".jobs") else "service"


def _state(service: Service, interval: float | None, *, since: int, now: int) -> ServiceState:
    record = service.record
    if record.fails:
        return "failing"
    if interval is None:
        return "well"
    patience = int(_TURNS_MISSED * interval * 1_000_000) + _BESIDE
    if now - (record.done or since) > patience:
        return "overdue"
    return "new" if record.done is None else "well"


def job_row(job: JobShown) -> JobRow:
    """Shape a job."""
    return JobRow(
        id=job.id,
        queue=job.queue,
        job=job.job,
        key=job.key,
        state=job.state,
        arguments=bytes(job.arguments).decode(),
        created=job.created,
        due=job.due,
        started=job.started,
        ended=job.ended,
        attempts=job.attempts,
        attempts_allowed=job.attempts_allowed,
        progress=job.progress,
        note=job.note,
        error=job.error,
        discardable=not finishes_deletion(job.queue, job.job),
    )


def queue_totals(core: Core, totals: Iterable[Total]) -> tuple[QueueTotals, ...]:
    """Put the numbers of each queue together; a plugin that has jobs has a row without any."""
    plugins = core.plugins
    numbers: dict[str, dict[str, int]] = {
        name: {} for name in plugins.enabled if "register_jobs" in plugins.hooks(name)
    }
    for total in totals:
        numbers.setdefault(total.queue, {})[total.state] = total.count
    return tuple(
        QueueTotals(
            queue=queue,
            waiting=found.get("waiting", 0),
            active=found.get("active", 0),
            done=found.get("done", 0),
            dead=found.get("dead", 0),
        )
        for queue, found in sorted(numbers.items())
    )


def plugin_rows(core: Core) -> tuple[PluginRow, ...]:
    """Show every plugin that is found, those that are left out first."""
    plugins = core.plugins
    refused = {each.plugin: each for each in plugins.refused}
    rows = []
    for name, found in plugins.found.items():
        refusal = refused.get(name)
        loaded = name in plugins.enabled
        rows.append(
            PluginRow(
                name=name,
                summary=found.manifest.summary,
                state="left out" if refusal else "loaded" if loaded else "disabled",
                reason=refusal.sentence if refusal else None,
                installed=found.distribution,
                runs=", ".join(plugins.kinds(name)) if loaded else "",
                requires=tuple(found.manifest.requires),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.state != "left out", row.name)))


def facts(core: Core, store: Store) -> Facts:
    """Say what the server is."""
    supervisor = supervisor_of(core)
    since = None if supervisor is None else supervisor.since
    return Facts(
        version=version("armillary"),
        prefect_version=PREFECT_VERSION,
        api_version=API_VERSION,
        python=platform.python_version(),
        started=None if since is None else from_micros(since),
        address=core.address,
        targets=", ".join(sorted(core.plugins.targets)),
        database=store.kind,
        place=hide_password(core.settings.database_url),
        size=store.size,
    )
