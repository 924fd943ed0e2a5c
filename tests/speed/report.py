"""Turns rounds into Markdown tables: medians, ratios to the reference, percentiles, errors."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from tests.speed.work import Round

# What one measurement of each scenario counts, and the client's member it is computed from.
UNITS = {
    "lifecycle": ("life cycles/s", "requests_per_second", 1 / 3),
    "set_state": ("set_state/s", "requests_per_second", 1),
    "read": ("reads by id/s", "requests_per_second", 1),
    "search": ("lists of 50 by state and tag/s", "requests_per_second", 1),
    "count": ("counts by state and tag/s", "requests_per_second", 1),
    "events": ("events/s", "items_per_second", 1),
    "order": ("runs created of a deployment/s", "requests_per_second", 1),
    "logs": ("log rows/s", "items_per_second", 1),
    "poll": ("polls/s", "requests_per_second", 1),
    "crowd": ("polls/s among 10,000", "requests_per_second", 1),
    "connections": ("requests/s, mixed", "requests_per_second", 1),
}
HELD_AGAINST = {"crowd": "poll"}
"""What a reference is not given, and which figure of its own stands in."""
NONE = "-"
PERCENTILES = ("p50_ms", "p90_ms", "p99_ms")


def render(rounds: Sequence[Round], *, titles: dict[str, str], baseline: str | None) -> str:
    """Both tables; `baseline` is the target that the others are divided by."""
    names = list(dict.fromkeys(each.target for each in rounds))
    parts = [
        _work_table(rounds, names, titles, baseline),
        _server_table(rounds, names, titles),
        _errors(rounds, titles),
    ]
    return "\n\n".join(part for part in parts if part)


def rate(figures: dict[str, Any]) -> float:
    _, member, factor = UNITS[figures["scenario"]]
    return float(figures[member]) * factor


def _work_table(
    rounds: Sequence[Round], names: list[str], titles: dict[str, str], baseline: str | None
) -> str:
    measured: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for each in rounds:
        for load in each.loads:
            key = load["scenario"], load["connections"]
            measured.setdefault(key, {}).setdefault(each.target, []).append(load)
    rows = []
    for (scenario, connections), by_target in measured.items():
        other = measured.get((HELD_AGAINST.get(scenario, scenario), connections), {})
        divisor = median(map(rate, other[baseline])) if baseline in other else 0.0
        rows += [
            _work_row((scenario, connections), titles[name], by_target[name], divisor)
            for name in names
            if name in by_target
        ]
    if not rows:
        return ""
    heads = ["work", "clients", "server", "rate", "times the reference"]
    heads += ["p50 ms", "p90 ms", "p99 ms", "max ms", "errors", "locked"]
    return table(heads, rows)


def _work_row(
    key: tuple[str, int], title: str, loads: list[dict[str, Any]], divisor: float
) -> list[str]:
    middle = median(map(rate, loads))
    times = [load["times"]["all"] for load in loads if "all" in load["times"]]
    errors = sum(load["errors"] for load in loads)
    unfinished = sum(load["unfinished"] for load in loads)
    return [
        UNITS[key[0]][0],
        str(key[1]),
        title,
        number(middle),
        f"{middle / divisor:.1f}" if divisor else NONE,
        *(number(median(t[name] for t in times)) if times else NONE for name in PERCENTILES),
        number(max(t["max_ms"] for t in times)) if times else NONE,
        f"{errors} and {unfinished} unfinished" if unfinished else str(errors),
        str(sum(load["locked"] for load in loads)),
    ]


def _server_table(rounds: Sequence[Round], names: list[str], titles: dict[str, str]) -> str:
    members = ("start_seconds", "idle_megabytes", "idle_cpu_percent", "worked_megabytes")
    rows = []
    for name in names:
        servers = [each.server for each in rounds if each.target == name and each.server]
        if not servers:
            continue
        values = [[server[member] for server in servers if member in server] for member in members]
        rows.append(
            [titles[name], *(f"{median(found):.2f}" if found else NONE for found in values)]
        )
    if not rows:
        return ""
    heads = ["server", "start to first answer, s", "idle memory, MB"]
    return table([*heads, "idle CPU, % of a core", "memory after the work, MB"], rows)


def _errors(rounds: Sequence[Round], titles: dict[str, str]) -> str:
    """The first error of each measurement that had any, and what could not be measured."""
    lines = []
    for each in rounds:
        title = titles[each.target]
        lines += [f"- {title}, not measured: {failure}" for failure in each.failures]
        lines += [
            f"- {title}, {load['scenario']} at {load['connections']}: {load['errors']} errors, "
            f"answers {load['statuses']}, first: `{load['first_error']}`"
            for load in each.loads
            if load["errors"]
        ]
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits that mean something, thousands parted."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
