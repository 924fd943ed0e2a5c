"""What a server says of itself once it runs."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Sequence
from typing import TYPE_CHECKING

from armillary.db.engine import file_of
from armillary.settings import hide_password

if TYPE_CHECKING:
    from armillary.core import Core
    from armillary.services.service import Service

_FEW = 4
"""So many services are named."""


def greeting(core: Core, services: Sequence[Service], address: str | None) -> list[str]:
    """Say what a person wants to know first."""
    file = file_of(core.settings.database_url)
    lines = ["", "  Armillary is running."]
    if address is not None:
        lines += [
            "",
            f"  Open        {address}",
            f"  Connect     prefect config set PREFECT_API_URL={address}/api",
        ]
    lines += [
        "",
        f"  Services    {_named(services)}",
        f"  Data        {file or hide_password(core.settings.database_url)}",
        "",
        "  Ctrl+C ends it.",
        "",
    ]
    return lines


def _named(services: Sequence[Service]) -> str:
    if len(services) > _FEW:
        return f"{len(services)}; `armillary services` tells what there is"
    return ", ".join(service.name for service in services) or "none"


def open_browser(address: str) -> threading.Thread | None:
    """Open a window in a thread, where there is a desktop to open it on."""
    desktop = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not desktop:
        return None
    opening = threading.Thread(target=webbrowser.open, args=(address,), daemon=True)
    opening.start()
    return opening
