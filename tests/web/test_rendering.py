"""Each template renders with the context it names, and escapes what it is given."""

import msgspec
import pytest
from jinja2 import UndefinedError

from armillary_plugins.ui import schemas
from armillary_web.assets import Assets
from armillary_web.shell import Preferences
from armillary_web.templating import TEMPLATES, Templates
from tests.web import samples
from tests.web.documents import Document

PAGES = samples.pages()
WHOLE = sorted(name for name, context in PAGES.items() if "shell" in context)
PARTS = {
    "base.html",
    "ui/_pool_parts.html",
    "ui/_reference_parts.html",
    "ui/_run_table.html",
    "ui/_schedule_rows.html",
    "ui/_schema_fields.html",
    "ui/_system_parts.html",
}


def _evil(value: object) -> object:
    """The same value with each text of a person's making turned hostile."""
    if isinstance(value, msgspec.Struct):
        changes = {
            field: _evil(getattr(value, field))
            for field in value.__struct_fields__
            if not field.endswith(("_path", "path", "icon", "_type", "theme", "palette", "density"))
            and field not in ("environment_colour", "hotkey", "level")
        }
        return msgspec.structs.replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(_evil(one) for one in value)
    return samples.EVIL if isinstance(value, str) else value


def test_every_template_is_rendered_by_a_sample(templates: Templates) -> None:
    names = {name for name in templates.names if not name.startswith("components/")}
    assert names - PARTS == set(PAGES)


def test_every_component_is_shown_on_the_page_of_patterns() -> None:
    source = (TEMPLATES / "patterns.html").read_text()
    components = {path.name for path in (TEMPLATES / "components").iterdir()} - {"live.html"}
    assert {name for name in components if f"components/{name}" not in source} == set()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_template_is_well_formed(name: str, templates: Templates) -> None:
    document = Document(templates.render(name, **PAGES[name]).decode())
    ids = document.ids()
    assert len(ids) == len(set(ids))
    assert document.elements


@pytest.mark.parametrize("name", sorted(PAGES))
def test_hostile_text_stays_text(name: str, templates: Templates) -> None:
    context = {
        key: value if key.endswith("_path") else _evil(value) for key, value in PAGES[name].items()
    }
    page = templates.render(name, **context).decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    assert all(not one.text for one in Document(page).all("script"))


@pytest.mark.parametrize("name", WHOLE)
def test_a_page_has_one_heading_landmarks_and_a_skip_link(name: str, templates: Templates) -> None:
    document = Document(templates.render(name, **PAGES[name]).decode())
    assert [len(document.all(tag)) for tag in ("h1", "main", "header")][:2] == [1, 1]
    assert document.all("h1")[0].text.strip()
    assert document.all("a")[0].attributes["href"] == "#content"
    assert "content" in document.ids()
    assert document.all("html")[0].attributes["lang"] == "en"
    assert document.all("title")[0].text.endswith("· Armillary")


@pytest.mark.parametrize("name", WHOLE)
def test_links_within_a_page_lead_somewhere(name: str, templates: Templates) -> None:
    document = Document(templates.render(name, **PAGES[name]).decode())
    targets = {
        (one.attributes["href"] or "")[1:]
        for one in document.all("a")
        if (one.attributes.get("href") or "").startswith("#")
    }
    assert targets <= set(document.ids())


@pytest.mark.parametrize("name", WHOLE)
def test_every_input_of_a_form_has_a_label(name: str, templates: Templates) -> None:
    document = Document(templates.render(name, **PAGES[name]).decode())
    labelled = {one.attributes.get("for") for one in document.all("label")}
    named = [one for tag in ("input", "select") for one in document.all(tag)]
    unlabelled = [
        one
        for one in named
        if one.attributes.get("id") not in labelled
        and one.attributes.get("type") not in ("radio", "checkbox", "hidden", "submit")
    ]
    assert unlabelled == []


def test_preferences_are_written_into_the_page_by_the_server(templates: Templates) -> None:
    shell = samples.shell(preferences=Preferences(theme="dark", palette="grey", density="roomy"))
    html = Document(
        templates.render("errors/404.html", shell=shell, detail="", request_id=None).decode()
    ).all("html")[0]
    assert html.attributes["data-theme"] == "dark"
    assert html.attributes["data-palette"] == "grey"
    assert html.attributes["data-density"] == "roomy"


def test_a_list_without_any_run_says_how_to_begin(templates: Templates) -> None:
    page = samples.run_page(rows=(), any_runs=False, counts=(), next_path=None, total=None)
    text = templates.render("ui/_runs.html", page=page, now=samples.NOW).decode()
    assert "Nothing has run yet." in text
    assert "python my_flow.py" in text


def test_a_list_whose_filters_let_nothing_through_offers_to_clear_them(
    templates: Templates,
) -> None:
    page = samples.run_page(rows=(), filter=samples.filtered_form(), next_path=None, total=0)
    document = Document(templates.render("ui/_runs.html", page=page, now=samples.NOW).decode())
    links = {one.text.strip(): one.attributes["href"] for one in document.all("a")}
    assert links["Clear the filters"] == "/runs"
    assert links["Past weekRemove this filter"] == "/runs?flow-run-search=falcon"


def test_a_final_run_asks_for_nothing_any_more(templates: Templates) -> None:
    text = b"".join(
        (
            templates.render(
                "ui/_run_header.html", run=samples.run_detail(live_path=None), now=samples.NOW
            ),
            templates.render(
                "ui/_run_states.html",
                states=samples.state_history(live_path=None),
                run_id=samples.RUN_ID,
                now=samples.NOW,
            ),
            templates.render(
                "ui/_logs.html", logs=samples.log_page(live=False), run_id=samples.RUN_ID
            ),
        )
    )
    assert b"data-live" not in text


def test_a_run_page_shows_its_state_in_title_and_icon(templates: Templates, assets: Assets) -> None:
    document = Document(templates.render("ui/run.html", **PAGES["ui/run.html"]).decode())
    icon = next(one for one in document.all("link") if one.attributes["rel"] == "icon")
    assert document.all("title")[0].text == "[staging] Failed · amber-falcon · Armillary"
    assert icon.attributes["href"] == assets.url("favicon-failed.svg")


def test_a_run_without_a_state_has_a_page(templates: Templates) -> None:
    run = samples.run_detail(state_type=None, state_name=None, state_timestamp=None)
    states = samples.state_history(rows=(), segments=())
    context = PAGES["ui/run.html"] | {"run": run, "states": states}
    assert b"No state" in templates.render("ui/run.html", **context)


def test_a_missing_value_is_an_error(templates: Templates) -> None:
    with pytest.raises(UndefinedError, match="shell"):
        templates.render("errors/404.html", detail="", request_id=None)


def test_links_carry_the_base_path(assets: Assets) -> None:
    below = Templates(Assets(base_path="/x"), base_path="/x/")
    document = Document(
        below.render("errors/404.html", shell=samples.shell(), detail="", request_id=None).decode()
    )
    places = [
        one.attributes[name] or ""
        for one in document.elements
        for name in ("href", "src", "data-stream", "data-base")
        if name in one.attributes
    ]
    assert [place for place in places if not place.startswith(("/x/", "#"))] == []
    assert assets.url("armillary.js").startswith("/ui/static/")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "runs", "/\\evil", ""])
def test_a_link_that_leaves_the_site_is_refused(path: str, templates: Templates) -> None:
    with pytest.raises(ValueError, match="no path on this site"):
        templates.url(path)


def test_segments_of_a_link_are_quoted(templates: Templates) -> None:
    assert (
        templates.url("/work-pools/work-pool", "a/b ?#") == "/work-pools/work-pool/a%2Fb%20%3F%23"
    )


def test_a_plugin_may_not_hide_templates_of_the_design_system(assets: Assets) -> None:
    with pytest.raises(ValueError, match="another prefix"):
        Templates(assets, folders={"components": TEMPLATES})


def test_samples_fill_every_struct_of_the_pages() -> None:
    structs = {
        name
        for name, value in vars(schemas).items()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        and value.__module__ == schemas.__name__
    }
    assert structs <= set(vars(samples))
