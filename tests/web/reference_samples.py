"""Sample data for the pages of the API's reference."""

from __future__ import annotations

from typing import Any

from armillary_plugins.ui.reference import shaped
from armillary_plugins.ui.reference_schemas import Reference
from armillary_web.shell import Shell


def described(word: str) -> dict[str, Any]:
    """A document of one operation, whose words are hard on templates where they are free."""
    moon = {"$ref": "#/components/schemas/Moon"}
    content = {"application/json": {"schema": moon}}
    return {
        "info": {"version": "0.8.4"},
        "paths": {
            "/api/moons/{id}": {
                "post": {
                    "tags": ["Moons far off"], "summary": word, "operationId": "post_moons_id",
                    "x-scope": word,
                    "parameters": [
                        {"name": "id", "in": "path", "required": True,
                         "schema": {"type": "string", "format": "uuid"}},
                    ],
                    "requestBody": {"content": content},
                    "responses": {
                        "200": {"description": "OK", "content": content},
                        "204": {"description": "No Content"},
                    },
                },
            },
            "/api/health": {
                "get": {
                    "tags": ["Admin"], "summary": "Live.", "operationId": "get_health",
                    "responses": {"200": {"description": "OK"}},
                },
            },
        },
        "components": {
            "schemas": {
                "Moon": {
                    "type": "object",
                    "required": ["phase"],
                    "properties": {
                        "phase": {"$ref": "#/components/schemas/Phase"},
                        "around": {"anyOf": [moon, {"type": "null"}]},
                        "notes": {"type": "array", "items": {"type": "string"}, "default": [word]},
                    },
                },
                "Phase": {"enum": ["new", word]},
                "Sun": {"type": "object", "properties": {}},
            },
        },
    }  # fmt: skip


def reference(word: str = "waxing") -> Reference:
    return shaped(described(word))


def pages(shell: Shell, word: str) -> dict[str, dict[str, Any]]:
    """The pages with the context they expect."""
    made = reference(word)
    return {
        "ui/reference.html": {"shell": shell, "reference": made},
        "ui/topic.html": {"shell": shell, "topic": made.topics[1]},
    }
