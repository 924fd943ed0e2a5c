"""Static files: hashed addresses, long-lived headers, and what a page weighs."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from armillary_web.assets import STATIC, Assets, UnknownAssetError
from armillary_web.templating import Templates
from tests.web import samples
from tests.web.documents import Document

PAGE_BUDGET = 60 * 1024
OWN_BUDGET = 10 * 1024


def _packed(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def test_an_address_holds_the_hash_of_the_content(assets: Assets) -> None:
    url = assets.url("armillary.js")
    digest = hashlib.sha256((STATIC / "armillary.js").read_bytes()).hexdigest()[:12]
    assert url == f"/ui/static/armillary.{digest}.js"


def test_an_address_is_served_for_ever_and_compressed(assets: Assets) -> None:
    asset = assets.read(assets.url("armillary.css"))
    assert asset is not None
    assert asset.content_type == "text/css; charset=utf-8"
    assert "immutable" in asset.headers["cache-control"]
    assert asset.gzipped is not None
    assert gzip.decompress(asset.gzipped) == asset.content


def test_every_static_file_has_an_address_that_answers(assets: Assets) -> None:
    assert all(assets.read(assets.url(name)) for name in assets.names)
    assert "vendor/LICENSES.txt" in assets.names


@pytest.mark.parametrize(
    "path",
    ["/ui/static/armillary.js", "/ui/static/../templating.py", "/ui/static/", "/", "tokens.css"],
)
def test_nothing_else_is_served(path: str, assets: Assets) -> None:
    assert assets.read(path) is None


def test_the_base_path_is_in_links_but_not_in_what_is_looked_up() -> None:
    below = Assets(base_path="/x/")
    url = below.url("icons.svg")
    assert url.startswith("/x/ui/static/icons.")
    assert below.read(url.removeprefix("/x")) is not None


def test_an_unknown_name_is_told_with_those_that_exist(assets: Assets) -> None:
    with pytest.raises(UnknownAssetError, match=r"armilary\.css.*armillary\.css"):
        assets.url("armilary.css")


def test_a_plugin_brings_files_under_its_prefix(tmp_path: Path) -> None:
    (tmp_path / "chart.js").write_text("export {};")
    (tmp_path / "notes.md").write_text("not for browsers")
    brought = Assets(folders={"charts": tmp_path})
    assert brought.url("charts/chart.js").startswith("/ui/static/charts/chart.")
    assert not any("notes" in name for name in brought.names)


@pytest.mark.parametrize("name", ["armillary.css", "armillary.js"])
def test_our_own_files_keep_to_their_budget(name: str, assets: Assets) -> None:
    asset = assets.read(assets.url(name))
    assert asset is not None
    assert _packed(asset.content) <= OWN_BUDGET


@pytest.mark.parametrize("name", ["ui/runs.html", "ui/run.html", "ui/home.html"])
def test_a_cold_page_is_light_and_takes_few_requests(
    name: str, templates: Templates, assets: Assets
) -> None:
    page = templates.render(name, **samples.pages()[name])
    addresses = {
        (one.attributes[key] or "").partition("#")[0]
        for one in Document(page.decode()).elements
        for key in ("href", "src")
        if (one.attributes.get(key) or "").startswith("/ui/static/")
    }
    files = [assets.read(address) for address in addresses]
    weight = _packed(page) + sum(_packed(file.content) for file in files if file)
    assert None not in files
    assert 1 + len(addresses) + 1 <= 8, "the page, its files, the stream"
    assert weight <= PAGE_BUDGET


def test_styles_and_scripts_fetch_nothing_by_themselves() -> None:
    for path in STATIC.glob("*.[cj]s*"):
        text = path.read_text()
        assert not re.search(r"url\(|@import|^import |import\(|https?://", text, re.MULTILINE), (
            path.name
        )


def test_vendored_files_come_with_their_licences() -> None:
    licences = (STATIC / "vendor/LICENSES.txt").read_text()
    for file in (STATIC / "vendor").glob("*.js"):
        assert file.name in licences
    assert "ISC License" in licences
