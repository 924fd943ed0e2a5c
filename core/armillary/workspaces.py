"""Which workspace a request is about: ids on the wire, small keys in the rows."""

from __future__ import annotations

import msgspec

from armillary.db.database import Database

DEFAULT_ACCOUNT = "00000000-0000-4000-8000-000000000000"
DEFAULT_WORKSPACE = "00000000-0000-4000-8000-000000000001"


class Workspace(msgspec.Struct, frozen=True):
    """A workspace, as far as a request needs it."""

    key: int
    id: str
    account_id: str
    name: str


DEFAULT = Workspace(1, DEFAULT_WORKSPACE, DEFAULT_ACCOUNT, "Default")


class Workspaces:
    """Remembers workspaces once they were asked for; they are never renumbered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[tuple[str, str], Workspace] = {
            (DEFAULT.account_id, DEFAULT.id): DEFAULT,
        }

    async def find(self, account_id: str, workspace_id: str) -> Workspace | None:
        """Return the workspace of that account, or None."""
        found = self._found.get((account_id, workspace_id))
        if found is None:
            row = await self._database.read(None).one(
                "select key, id, account_id, name from workspace where id = ? and account_id = ?",
                workspace_id,
                account_id,
            )
            if row is None:
                return None
            found = self._found[(account_id, workspace_id)] = Workspace(*row)
        return found

    def forget(self) -> None:
        """Drop what is remembered, after a workspace was deleted."""
        self._found = {(DEFAULT.account_id, DEFAULT.id): DEFAULT}
