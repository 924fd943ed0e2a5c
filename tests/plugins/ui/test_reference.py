"""The reference of the API: all that our OpenAPI document says, in words, on pages of our own."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from armillary_plugins.ui.reference import kind_of
from tests.plugins.ui.pages import Pages, link, part
from tests.web.reference_samples import reference

MOST_BYTES = 20 * 1024
"""Of a page itself: what all pages share takes most of their 60 KB."""


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "anything"),
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({"type": "integer", "minimum": 0, "maximum": 9}, "integer, at least 0, at most 9"),
        ({"anyOf": [{"$ref": "#/components/schemas/Moon"}, {"type": "null"}]}, "Moon or null"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'list of ("a" or "b")'),
        (
            {"type": "array", "prefixItems": [{"const": 1}, {"type": "null"}]},
            "list of exactly 1, then null",
        ),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"type": "object", "additionalProperties": {}}, "object"),
    ],
)
def test_a_kind_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert "".join(piece.text for piece in kind_of(schema)) == words


def test_a_topic_has_the_shapes_its_operations_lead_to_and_no_others() -> None:
    admin, moons = reference().topics
    assert [shape.name for shape in admin.shapes] == []
    assert [shape.name for shape in moons.shapes] == ["Moon", "Phase"]
    assert moons.slug == "moons-far-off"


async def test_every_operation_is_listed_and_leads_to_where_it_is_told(pages: Pages) -> None:
    document = (await pages.ask("/api/openapi.json")).json()
    overview = await pages.open("/docs")
    shown: dict[str, set[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            target = link(overview, f"{method.upper()} {path}")
            assert target is not None, f"{method} {path} is not listed"
            page, _, anchor = target.partition("#")
            assert anchor == operation["operationId"]
            shown.setdefault(page, set()).add(anchor)
    for address, anchors in shown.items():
        topic = await pages.open(address)
        ids = topic.ids()
        assert anchors <= set(ids), address
        assert len(ids) == len(set(ids)), address
        inner = [one.attributes["href"] or "" for one in topic.all("a")]
        assert {one[1:] for one in inner if one.startswith("#")} <= set(ids), address


async def test_an_operation_tells_what_it_takes_answers_and_asks_for(pages: Pages) -> None:
    page = await pages.open("/docs/flow-runs")
    told = part(page, "post_flow_runs_id_set_state")
    for words in (
        "scoperun_flows", "id string (uuid)", "TakesSetState", "201 Created: Orch",
        "404 Not Found, 503 Service Unavailable: Refusal or Failure",
    ):  # fmt: skip
        assert words in told
    graph = part(page, "get_flow_runs_id_graph_v2")
    assert "In the querysince string (date-time) or null" in graph
    states = part(page, "get_flow_run_states")
    assert "In the queryflow_run_id string (uuid) needed" in states
    assert "offset integer or null 0" in part(page, "shape-FilterFlowRuns")
    health = part(await pages.open("/docs/admin"), "get_health")
    assert "none, anybody may ask" in health


async def test_every_page_of_it_is_light(pages: Pages) -> None:
    overview = await pages.open("/docs")
    inner = {one.attributes["href"] or "" for one in overview.all("a")}
    topics = {one.partition("#")[0] for one in inner if one.startswith("/docs/")}
    assert len(topics) > 20
    for path in ("/docs", *sorted(topics)):
        text = (await pages.ask(path)).content
        assert len(gzip.compress(text, 4)) <= MOST_BYTES, path


async def test_the_page_of_the_system_leads_to_it(pages: Pages) -> None:
    assert link(await pages.open("/system"), "API reference") == "/docs"
