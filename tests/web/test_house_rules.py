"""The rules all templates keep: those that make htmx replaceable, and those of the CSP.

1 every hx attribute on its own element · 2 each fragment has an address · 3 nothing after swap or
settle, no 286 · 4 errors are swapped · 5 no hx-on, no js values, no event names · 6 hx-delete
without inputs · 7 data-confirm, never hx-confirm
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from armillary_web.assets import STATIC, Assets
from armillary_web.filters import STATE_TYPES, state_look
from armillary_web.shell import NAV_ICONS
from armillary_web.templating import TEMPLATES, Templates
from tests.web import samples
from tests.web.documents import Document

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    {
        *TEMPLATES.rglob("*.html"),
        *(ROOT / "plugins/armillary_plugins").glob("*/templates/**/*.html"),
        *(ROOT / "plugins/template").glob("**/templates/**/*.html"),
    }
)
ALLOWED_HX = {
    "hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete", "hx-target", "hx-swap", "hx-ext",
    "hx-push-url", "hx-replace-url", "hx-select", "hx-include", "hx-disable", "hx-disabled-elt",
    "hx-indicator", "hx-headers", "hx-sync", "hx-encoding", "hx-preserve",
}  # fmt: skip
FORBIDDEN = {
    "rule 3: events after swap or settle": r"HX-Trigger|hx-trigger-after",
    "rule 5: hx-on": r"\bhx-on\b|hx-on:",
    "rule 5: values from scripts": r"hx-(?:vals|vars)",
    "rule 5: event names": r"hx-trigger|armillary:|htmx:",
    "rule 7: hx-confirm": r"hx-(?:confirm|prompt)",
    "rule 1: inheritance": r"hx-(?:inherit|disinherit)|:inherited",
    "inline style": r"<style\b|\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=",
    "script in a link": r"javascript:",
    "another origin": r"(?:https?:)?//[\w.-]+\.",
    "escaping switched off": r"\|\s*safe\b|autoescape\s+false",
    "morph options, which need eval": r"morph:\{",
}


@cache
def _code(source: Path) -> str:
    return re.sub(r"\{#.*?#\}", "", source.read_text(), flags=re.DOTALL)


def test_there_are_templates_to_look_at() -> None:
    assert len(SOURCES) > 25


def _shown(source: Path) -> str:
    return str(source.relative_to(ROOT))


def test_templates_keep_the_house_rules() -> None:
    broken = [
        f"{_shown(source)}: {rule}"
        for source in SOURCES
        for rule, pattern in FORBIDDEN.items()
        if re.search(pattern, _code(source), re.IGNORECASE)
    ]
    assert broken == []
    used = {_shown(source): set(re.findall(r"\bhx-[a-z-]+", _code(source))) for source in SOURCES}
    assert {name: found - ALLOWED_HX for name, found in used.items() if found - ALLOWED_HX} == {}


def test_scripts_are_files() -> None:
    for source in SOURCES:
        scripts = re.findall(r"<script\b(.*?)>(.*?)</script>", _code(source), re.DOTALL)
        for attributes, content in scripts:
            assert "src=" in attributes, _shown(source)
            assert content.strip() == "", _shown(source)


def test_a_template_says_what_it_expects() -> None:
    silent = [_shown(source) for source in SOURCES if not source.read_text().startswith("{#")]
    assert silent == []


@pytest.mark.parametrize(
    "broken",
    [
        '<p style="color:red">',
        '<a onclick="go()">',
        '<a hx-trigger="refresh">',
        '<a hx-on:click="x">',
        '<img src="https://cdn.example/x.png">',
        '<button hx-confirm="sure?">',
        "{{ name | safe }}",
    ],
)
def test_the_rules_catch_what_they_are_for(broken: str) -> None:
    assert any(re.search(pattern, broken, re.IGNORECASE) for pattern in FORBIDDEN.values())


@pytest.mark.parametrize(
    ("name", "context"), sorted(samples.pages().items()), ids=lambda x: str(x)[:24]
)
def test_hx_attributes_stand_on_elements_that_name_all_they_need(
    name: str, context: dict[str, object], templates: Templates
) -> None:
    for element in Document(templates.render(name, **context).decode()).elements:
        given = {key for key in element.attributes if key.startswith("hx-")}
        if element.attributes.get("hx-swap", "") == "morph":
            assert element.attributes.get("hx-ext") == "morph"
        if given & {"hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"}:
            assert {"hx-target", "hx-swap"} <= given
        if "data-live-src" in element.attributes:
            assert element.attributes["id"]
            assert (element.attributes["data-live-src"] or "").startswith("/ui/fragments/")
            assert "hx-get" not in given
        assert not ("hx-delete" in given and element.tag == "form")


def test_htmx_is_configured_for_a_strict_policy_and_for_its_next_version(
    templates: Templates,
) -> None:
    page = templates.render("errors/404.html", shell=samples.shell(), detail="", request_id=None)
    given = next(
        one.attributes["content"]
        for one in Document(page.decode()).all("meta")
        if one.attributes.get("name") == "htmx-config"
    )
    config = json.loads(given or "")
    off = ("allowEval", "allowScriptTags", "includeIndicatorStyles")
    assert [config[name] for name in off] == [False, False, False]
    assert config["selfRequestsOnly"] is True
    assert config["disableInheritance"] is True
    assert config["historyCacheSize"] == 0
    assert config["refreshOnHistoryMiss"] is True
    assert {"code": "[45]..", "swap": True, "error": True} in config["responseHandling"]


def test_the_sprite_holds_the_icons_in_use_and_no_other() -> None:
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    code = "\n".join(_code(source) for source in SOURCES)
    literal = set(re.findall(r'(?:icon|picture)\("([\w-]+)"\)', code))
    literal |= set(re.findall(r'"?icon"?\s*[=:]\s*"([\w-]+)"', code))
    names = ("Late", "AwaitingRetry", "AwaitingConcurrencySlot", "Resuming", "Retrying", "Cached",
             "RolledBack", "TimedOut", None)  # fmt: skip
    states = {state_look(kind, name).icon for kind in (*STATE_TYPES, None) for name in names}
    assert symbols == literal | states | NAV_ICONS


def test_every_state_has_a_colour_and_its_own_icon_in_the_address_bar(assets: Assets) -> None:
    styles = (STATIC / "app.css").read_text()
    for kind in (*STATE_TYPES, None):
        css = state_look(kind).css
        assert f".state-{css} {{ --state:" in styles
        assert f"favicon-{css}.svg" in assets.names


def test_classes_in_templates_have_a_style() -> None:
    styles = (STATIC / "app.css").read_text()
    code = "\n".join(_code(source) for source in SOURCES)
    lists = re.findall(r'class="([^"{]*)"', code)
    used = {name for value in lists for name in value.split()}
    assert {name for name in used if f".{name}" not in styles} <= {"table-runs", "table-tasks"}


def test_only_the_event_module_knows_event_names() -> None:
    others = [path for path in STATIC.glob("*.js") if path.name != "armillary.js"]
    assert others == []
    script = (STATIC / "armillary.js").read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", script)
