"""The templates and static files of the design system and of the ui plugin."""

from pathlib import Path

import pytest

from armillary_web.assets import Assets
from armillary_web.templating import Templates

PLUGIN = Path(__file__).parents[2] / "plugins/armillary_plugins/ui/templates/ui"


@pytest.fixture(scope="session")
def assets() -> Assets:
    return Assets()


@pytest.fixture(scope="session")
def templates(assets: Assets) -> Templates:
    return Templates(assets, folders={"ui": PLUGIN})
