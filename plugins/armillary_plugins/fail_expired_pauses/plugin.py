"""What fail_expired_pauses gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that looks for them."""
    from armillary_plugins.fail_expired_pauses.config import Config
    from armillary_plugins.fail_expired_pauses.services import FailExpiredPauses

    return [FailExpiredPauses(core, core.config(Config))]
