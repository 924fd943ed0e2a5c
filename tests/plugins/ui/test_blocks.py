"""Blocks in the browser: listed, shown without their secrets, made and deleted."""

from typing import Any

from tests.api import Api
from tests.plugins.ui.pages import Pages, link, part


async def new(api: Api, name: str, value: str = "hush") -> dict[str, Any]:
    """A document of the SDK's type for secrets."""
    await api.post("/block_types/install_system_block_types", {})
    kind = await api.get("/block_types/slug/secret")
    asked = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
    [schema] = await api.post("/block_schemas/filter", asked)
    body = {
        "name": name, "data": {"value": value},
        "block_type_id": kind["id"], "block_schema_id": schema["id"],
    }  # fmt: skip
    return await api.post("/block_documents/", body, status=201)


async def test_blocks_are_listed_by_name_and_found_by_name_and_type(api: Api, pages: Pages) -> None:
    assert "There is no block yet" in part(await pages.open("/blocks"), "blocks")
    for name in ("c", "a", "b"):
        await new(api, name)
    shown = part(await pages.open("/blocks"), "blocks")
    assert "hush" not in shown
    names, path = [], "/blocks.json?limit=2"
    while path:
        answer = (await pages.ask(path)).json()
        names += [row["name"] for row in answer["rows"]]
        path = answer["next"]
    assert names == ["a", "b", "c"]
    rows = (await pages.ask("/blocks.json?type=secret&name=B")).json()["rows"]
    assert [(row["name"], row["type_slug"]) for row in rows] == [("b", "secret")]
    nothing = part(await pages.open("/blocks?type=webhook"), "blocks")
    assert "No block matches" in nothing


async def test_a_blocks_page_keeps_its_secrets_and_deletes_it(api: Api, pages: Pages) -> None:
    made = await new(api, "password", "hush-hush")
    path = f"/blocks/block/{made['id']}"
    answer = await pages.ask(path)
    assert "hush-hush" not in answer.text
    assert "********" in answer.text
    assert "secret/password" in part(await pages.open(path), "details")
    assert "Delete password?" in (await pages.send(f"{path}/delete", status=200)).text
    await pages.send(f"{path}/delete", confirm="yes")
    await pages.ask(path, status=404)


async def test_the_links_of_the_command_line_lead_to_the_catalogue_and_a_form(
    api: Api, pages: Pages
) -> None:
    page = await pages.open("/blocks/catalog")
    assert link(page, "SMB") == "/blocks/catalog/smb"
    assert len((await pages.ask("/blocks/catalog.json")).json()["rows"]) == 14
    found = part(await pages.open("/blocks/catalog?name=slack"), "types")
    assert "SMB" not in found
    fields = part(await pages.open("/blocks/catalog/smb"), "fields")
    assert "smb_host needed" in fields
    form = "/blocks/catalog/smb/create"
    asked = (await pages.open(form)).all("input")
    assert [one.attributes["type"] for one in asked].count("password") == 2
    wrong = await pages.send(form, name="No Name", status=422)
    assert "is needed" in wrong.text
    names = {
        one.text.removesuffix(" (may be empty)"): one.attributes["for"]
        for one in (await pages.open(form)).all("label")
        if "for" in one.attributes
    }
    sent: dict[str, Any] = {
        str(names[label]).removeprefix("field-"): value
        for label, value in (
            ("Share Path", "/in"), ("SMB server/hostname", "host"), ("SMB port", "445"),
            ("SMB Password", "hush"),
        )
    }  # fmt: skip
    wrong = await pages.send(form, status=422, name="No Name", **sent)
    assert "hush" not in wrong.text
    port = next(name for name, value in sent.items() if value == "445")
    for text in ("NaN", "1e999", '"\\ud800"'):
        wrong = await pages.send(form, status=422, name="files", **{**sent, port: text})
        assert "SMB port is no JSON" in wrong.text
    answer = await pages.send(form, name="files", **sent)
    made = answer.headers["location"].rpartition("/")[2]
    document = await api.get(f"/block_documents/{made}?include_secrets=true")
    data = document["data"]
    assert (data["smb_host"], data["smb_port"], data["smb_password"]) == ("host", 445, "hush")
    assert "smb_username" not in data
    again = await pages.send(form, status=422, name="files", **sent)
    assert "already" in again.text
    await pages.ask("/blocks/catalog/nothing", status=404)
