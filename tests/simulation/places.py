"""The two workspaces of every simulation, in which people use the same names."""

from __future__ import annotations

from dataclasses import dataclass

from armillary.workspaces import DEFAULT, DEFAULT_ACCOUNT

_OTHER = "00000000-0000-4000-8000-000000000002"


@dataclass(frozen=True)
class Place:
    """A workspace: its key in the rows, and where its API is."""

    key: int
    id: str
    prefix: str


HERE = Place(DEFAULT.key, DEFAULT.id, "/api")
ELSEWHERE = Place(2, _OTHER, f"/api/accounts/{DEFAULT_ACCOUNT}/workspaces/{_OTHER}")
PLACES = (HERE, ELSEWHERE)
