"""Pages that other plugins add are at places of their own."""

from types import SimpleNamespace
from typing import Any

import pytest

from armillary.api import Call
from armillary.errors import PluginFailed
from armillary_plugins.ui.routes import pages_of_others
from armillary_web.pages import Page, Pages


async def nothing(call: Call) -> dict[str, Any]:
    return {"path": call.path}


def added(*paths: str) -> Any:
    """A core whose plugins `moons0`, `moons1` ... add a page each."""
    handed = [
        (
            f"moons{number}",
            Pages(pages=(Page(path=path, scope=None, template="moons/m.html", read=nothing),)),
        )
        for number, path in enumerate(paths)
    ]
    return SimpleNamespace(plugins=SimpleNamespace(collect=lambda _: handed))


def test_each_page_has_its_route() -> None:
    made = pages_of_others(added("/moons", "/phases"))
    assert [route.path for routes in made for route in routes.http] == ["/moons", "/phases"]


@pytest.mark.parametrize(
    ("paths", "guilty"),
    [(("/runs",), "moons0"), (("/moons", "/moons"), "moons1"), (("moons",), "moons0")],
    ids=["a page of the ui", "of another plugin", "no place at all"],
)
def test_a_place_that_is_taken_is_the_fault_of_whoever_comes_later(
    paths: tuple[str, ...], guilty: str
) -> None:
    with pytest.raises(PluginFailed) as caught:
        pages_of_others(added(*paths))
    assert caught.value.plugin == guilty
