"""How artifacts look on the page of a run."""

from typing import Any

import msgspec
import pytest

from armillary_plugins.artifacts.shaping import Prose, Shown, shown
from armillary_web.filters import plain_json


def shape(kind: str, data: Any) -> Shown:
    text = msgspec.json.encode(data).decode()
    return shown(["id", 0, None, kind, None, text, None, None], Prose())


@pytest.mark.parametrize(
    ("data", "head", "rows"),
    [
        ([{"a": 1, "b": None}, {"a": "x", "c": [1]}], ["a", "b", "c"],
         [["1", "", ""], ["x", "", "[1]"]]),
        ({"a": [1, 2], "b": [3]}, ["a", "b"], [["1", "3"], ["2", ""]]),
        ([["a", 1.5], ["b"]], [], [["a", "1.5"], ["b"]]),
        ('[["as text"]]', [], [["as text"]]),
    ],
)  # fmt: skip
def test_a_table_is_laid_out_in_whichever_way_it_came(
    data: Any, head: list[str], rows: list[list[str]]
) -> None:
    grid = shape("table", data).grid
    assert grid is not None
    assert (grid.head, grid.rows, grid.left_out) == (head, rows, 0)


def test_a_long_table_is_cut_and_says_so() -> None:
    for data in ([{"a": "y" * 300}] * 60, {"a": list(range(60))}, [[1]] * 60):
        grid = shape("table", data).grid
        assert grid is not None
        assert (len(grid.rows), grid.left_out, len(grid.rows[0][0]) <= 201) == (50, 10, True)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("table", "no table"), ("table", 1), ("table", []), ("table", [1, {}]),
        ("markdown", {"a": 1}), ("image", None), ("progress", "x"), ("other", [1]),
    ],
)  # fmt: skip
def test_what_is_not_what_it_says_is_shown_as_it_is(kind: str, data: Any) -> None:
    found = shape(kind, data)
    assert (found.text, found.progress, found.grid) == (None, None, None)
    assert found.code == (data if isinstance(data, str) else msgspec.json.encode(data).decode())


def test_more_markdown_than_a_page_can_render_is_shown_as_it_is() -> None:
    prose = Prose()
    for text, rendered in (
        ("a" * 15_000, True),
        ("b" * 15_000, False),
        ("[" * 501, False),
        ("c", True),
    ):
        data = msgspec.json.encode(text).decode()
        found = shown(["id", 0, None, "markdown", None, data, None, None], prose)
        assert (found.text is not None, found.code) == (rendered, None if rendered else text)


@pytest.mark.parametrize("text", ["1e999", "[" * 20_000 + "]" * 20_000, "9" * 5000])
@pytest.mark.parametrize("kind", ["table", "markdown", "progress", "json"])
def test_what_cannot_be_read_is_shown_as_it_is(kind: str, text: str) -> None:
    for given in (text, msgspec.json.encode(text).decode()):
        found = shown(["id", 0, None, kind, None, given, None, None], Prose())
        assert found.code == text or (kind, found.code) in {("markdown", None), ("progress", None)}
        assert plain_json(text)


@pytest.mark.parametrize(("data", "progress"), [(62.5, 62.5), (-1, 0.0), (10**400, 100.0)])
def test_progress_stays_between_nothing_and_all(data: float, progress: float) -> None:
    assert shape("progress", data).progress == progress
