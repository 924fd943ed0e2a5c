"""Who is calling and what they may do: actors, scopes, and what a scope includes."""

from __future__ import annotations

import msgspec

from armillary.errors import Refused

_GROUPS = (
    ("manage_artifacts", "write_artifacts", "see_artifacts"),
    ("manage_assets", "write_assets", "see_assets"),
    ("manage_automations", "see_automations"),
    ("manage_blocks", "see_secret_blocks", "see_blocks"),
    ("manage_concurrency_limits", "see_concurrency_limits"),
    ("manage_deployments", "write_deployments", "run_deployments", "see_deployments"),
    ("manage_events", "see_events"),
    ("manage_flows", "run_flows", "run_tasks", "see_flows"),
    ("manage_saved_search",),
    ("manage_variables", "write_variables", "see_variables"),
    ("manage_webhooks", "see_webhooks"),
    ("manage_work_pools", "write_work_pools", "see_work_pools"),
    ("manage_work_queues", "write_work_queues", "see_work_queues"),
    ("manage_workers", "write_workers", "see_workers"),
    ("manage_workspace_settings", "write_workspace_settings", "see_workspace_settings"),
)
"""Scopes by group, each including those after it.  Source: the workspace scopes of the API."""

SCOPES = frozenset(scope for group in _GROUPS for scope in group)


def included(scopes: frozenset[str]) -> frozenset[str]:
    """Close a set of scopes over what each includes."""
    return frozenset(
        lower
        for group in _GROUPS
        for place, scope in enumerate(group)
        if scope in scopes
        for lower in group[place:]
    )


class Actor(msgspec.Struct, frozen=True):
    """Somebody who calls: a user, a service account, or the owner of this machine."""

    id: str
    name: str
    scopes: frozenset[str]

    def require(self, scope: str | None) -> None:
        """Raise Refused (403) unless the actor has the scope; None asks for nothing."""
        if scope is not None and scope not in self.scopes:
            raise Refused(403, f"This needs the scope {scope}, which {self.name} does not have.")


LOCAL_OWNER = Actor("00000000-0000-4000-8000-00000000000a", "the local owner", SCOPES)
"""Whoever reaches the loopback address of an embedded server: there is no login there."""
