"""Variables in the browser: found, made, changed and deleted."""

from tests.api import Api
from tests.plugins.ui.pages import Pages, link, part


async def new(api: Api, name: str, **more: object) -> str:
    body = {"name": name, "value": 1, **more}
    return (await api.post("/variables/", body, status=201))["id"]


async def test_variables_are_listed_by_name_and_found_by_name_and_tags(
    api: Api, pages: Pages
) -> None:
    assert "prefect variable set" in part(await pages.open("/variables"), "variables")
    await new(api, "region", value={"zone": "<eu>"}, tags=["prod", "eu"])
    await new(api, "day", tags=["prod"])
    page = await pages.open("/variables")
    shown = part(page, "variables")
    assert shown.index("day") < shown.index('region {"zone":"<eu>"}')
    assert link(page, "eu") == "/variables?tags=eu"
    assert "region" not in part(await pages.open("/variables?name=DA"), "variables")
    assert "day" not in part(await pages.open("/variables?tags=prod,eu"), "variables")
    assert "No variable matches" in part(await pages.open("/variables?name=x"), "variables")


async def test_parts_of_the_list_neither_repeat_nor_lose_variables(api: Api, pages: Pages) -> None:
    names = [f"v{number:03}" for number in range(53)]
    for name in names:
        await new(api, name)
    first = await pages.open("/variables")
    assert link(first, "Previous") is None
    later = link(first, "Next")
    assert later == "/variables?after=v049"
    second = await pages.open(later)
    assert link(second, "Next") is None
    assert len([one for one in second.all("tr") if "data-row" in one.attributes]) == 3
    assert link(second, "Previous") == "/variables?before=v050"
    again = await pages.open("/variables?before=v050")
    assert "Tags v000 1" in part(again, "variables")
    seen, path = [], "/variables.json?limit=20"
    while path:
        answer = (await pages.ask(path)).json()
        seen += [row["name"] for row in answer["rows"]]
        path = answer["next"]
    assert seen == names


async def test_a_variable_is_made_changed_and_deleted_by_forms(api: Api, pages: Pages) -> None:
    wrong = await pages.send("/variables/new", name="Region", value="eu", status=422)
    assert "lower-case letters" in wrong.text
    assert "text stands in double quotes" in wrong.text
    for text in ("NaN", '"\\ud800"'):
        wrong = await pages.send("/variables/new", name="region", value=text, status=422)
        assert "value cannot be read as JSON" in wrong.text
    await pages.send("/variables/new", name="region", value='"eu"', tags="a, b")
    made = await api.get("/variables/name/region")
    assert (made["value"], made["tags"]) == ("eu", ["a", "b"])
    taken = await pages.send("/variables/new", name="region", value="1", status=422)
    assert "already exists" in taken.text
    path = f"/variables/variable/{made['id']}"
    await pages.send(path, name="place", value='{"n": 1.50}', tags="")
    changed = await api.get("/variables/name/place")
    assert (changed["value"], changed["tags"]) == ({"n": 1.5}, [])
    [value] = (await pages.open(path)).all("textarea")
    assert value.text.strip() == '{\n  "n": 1.50\n}'
    asked = await pages.send(f"{path}/delete", status=200)
    assert "Delete place?" in asked.text
    assert (await pages.send(f"{path}/delete", confirm="yes")).headers["location"] == "/variables"
    await pages.ask(path, status=404)
