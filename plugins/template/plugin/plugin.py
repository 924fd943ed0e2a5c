"""What example gives to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary import hookimpl

if TYPE_CHECKING:
    from armillary import Core, Service
    from armillary.db.tables import Tables


@hookimpl
def register_tables() -> list[Tables]:
    """The table of the number."""
    from armillary_plugins.example.tables import TABLES

    return [TABLES]


@hookimpl
def register_services(core: Core) -> list[Service]:
    """The loop that counts."""
    from armillary_plugins.example.config import Config
    from armillary_plugins.example.services import CountMoments

    return [CountMoments(core, core.config(Config))]
