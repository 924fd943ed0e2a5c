"""Routes of block types, their schemas and documents."""

from __future__ import annotations

from armillary.api import Routes
from armillary_plugins.blocks.routes.documents import routes as documents
from armillary_plugins.blocks.routes.schemas import routes as schemas
from armillary_plugins.blocks.routes.types import routes as types

ROUTES: tuple[Routes, ...] = (types, schemas, documents)
