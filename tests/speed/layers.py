"""Which layer of the server a stack belongs to, and how long each has one request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LOOP = "loop"
OTHER = "other"

# The innermost frame that one of these speaks of decides. The start of a path, the functions
# there (none: all of them), and the layer.
_LAYERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("uvicorn/protocols/http", ("send",), "sending"),
    ("uvicorn/", (), "parsing"),
    ("core/armillary/connections.py", ("_write",), "sending"),
    ("core/armillary/connections.py", (), "parsing"),
    ("core/armillary/transport.py", (), "sending"),
    ("core/armillary/fast_path.py", ("written",), "sending"),
    ("core/armillary/fast_path.py", (), "parsing"),
    ("core/armillary/incoming.py", ("read_body",), "parsing"),
    ("core/armillary/bodies.py", (), "parsing"),
    ("core/armillary/api.py", ("decode", "_decode"), "validation"),
    ("core/armillary/api.py", ("json", "raw"), "encoding"),
    ("core/armillary/api.py", (), "routing"),
    ("core/armillary/access.py", (), "access"),
    ("core/armillary/front.py", ("send_answer",), "sending"),
    ("core/armillary/front.py", (), "routing"),
    ("core/armillary/incoming.py", (), "routing"),
    ("core/armillary/lane.py", (), "routing"),
    ("litestar/", (), "routing"),
    (
        "core/armillary/db/sqlite_writer.py",
        ("one", "all", "many", "run", "for_each", "<listcomp>", "flush"),
        "SQL",
    ),
    ("core/armillary/db/sqlite_writer.py", (), "commit"),
    ("core/armillary/db/commits.py", (), "commit"),
    ("core/armillary/db/sqlite.py", (), "SQL"),
    ("core/armillary/db/", (), "SQL"),
    ("asyncpg/", (), "SQL"),
    ("aiosqlite/", (), "SQL"),
    ("core/armillary/orchestration/wire.py", (), "encoding"),
    ("core/armillary/orchestration/", (), "decision"),
    ("core/armillary/flow_runs/events.py", (), "event"),
    ("core/armillary/task_runs/events.py", (), "event"),
    ("core/armillary/events/", (), "event"),
    ("core/armillary/broker/", (), "event"),
    ("plugins/armillary_plugins/event", (), "event"),
    ("core/armillary/flow_runs/reading.py", (), "encoding"),
    ("core/armillary/flow_runs/routes.py", ("answer_decided", "answer_created"), "encoding"),
    ("core/armillary/", (), "decision"),
    ("plugins/", (), "decision"),
)
LAYERS = (*dict.fromkeys(layer for _, _, layer in _LAYERS), OTHER, LOOP)
_LOOPS = ("asyncio/runners.py", "uvloop/__init__.py", "threading.py")
# Whatever happens below these is done for events, also their SQL.
_FOR_EVENTS = (
    "plugins/armillary_plugins/event_persister",
    "plugins/armillary_plugins/events/",
    "core/armillary/broker/",
)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the sampler has counted, see `sampled.py`."""

    seconds: float
    stacks: Mapping[str, float]
    beside: Mapping[str, float]


@dataclass(frozen=True)
class Spent:
    """Microseconds of processor time of one request: by layer, and in threads beside the loop."""

    layers: Mapping[str, float]
    beside: Mapping[str, float]


def layer_of(stack: str) -> str:
    """The layer of a stack (`file:function;...`, outermost first)."""
    frames = [frame.rpartition(":") for frame in stack.split(";")]
    if frames[-1][0].endswith(_LOOPS):
        return LOOP
    for file, _, function in reversed(frames):
        for start, functions, layer in _LAYERS:
            if file.startswith(start) and (not functions or function in functions):
                return "event" if _for_events(file for file, _, _ in frames) else layer
    return OTHER


def _for_events(files: Iterable[str]) -> bool:
    return any(file.startswith(_FOR_EVENTS) for file in files)


def spent(counted: Counted, *, requests: float) -> Spent:
    """Share what a window has used out among layers; `requests` is how many were answered."""
    layers: defaultdict[str, float] = defaultdict(float)
    for stack, seconds in counted.stacks.items():
        layers[layer_of(stack)] += seconds * 1e6 / requests
    beside = {name: seconds * 1e6 / requests for name, seconds in counted.beside.items()}
    return Spent(layers, beside)
