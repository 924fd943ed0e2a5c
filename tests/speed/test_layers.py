"""To which layer a stack belongs."""

import pytest

from tests.speed.layers import LOOP, Counted, layer_of, spent

_OUTSIDE = "asyncio/runners.py:run;core/armillary/server.py:run_loop"


@pytest.mark.parametrize(
    ("inside", "layer"),
    [
        ("core/armillary/front.py:_http;core/armillary/api.py:decode", "validation"),
        ("core/armillary/front.py:_http;json/decoder.py:decode", "routing"),
        (("core/armillary/db/sqlite_writer.py:_run;core/armillary/flow_runs/loading.py:load;"
         "core/armillary/db/sqlite_writer.py:for_each"), "SQL"),
        (("core/armillary/db/sqlite_writer.py:_run;"
         "plugins/armillary_plugins/events/repository/storing.py:insert_events;"
         "core/armillary/db/sqlite_writer.py:many"), "event"),
        ("core/armillary/db/sqlite_writer.py:_end", "commit"),
        ("core/armillary/orchestration/decision.py:decide", "decision"),
    ],
)  # fmt: skip
def test_the_innermost_known_frame_decides(inside: str, layer: str) -> None:
    assert layer_of(f"{_OUTSIDE};{inside}") == layer


def test_what_is_found_in_the_runner_is_the_loops() -> None:
    assert layer_of("core/armillary/server.py:run_loop;/lib/asyncio/runners.py:run") == LOOP


def test_seconds_become_microseconds_of_a_request() -> None:
    counted = Counted(
        seconds=2.0,
        stacks={"core/armillary/front.py:_http": 0.3, "core/armillary/lane.py:http": 0.1},
        beside={"commit": 0.2},
    )
    shared = spent(counted, requests=1000)
    assert shared.layers["routing"] == pytest.approx(400)
    assert shared.beside == {"commit": pytest.approx(200)}
