"""The filters of the list of deployments: from the query of its address to criteria, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from armillary.criteria import AnyTags, Choice, Flag, Likeness
from armillary.db.filters import Condition
from armillary.deployments.criteria import DeploymentCriteria
from armillary.deployments.filters import DeploymentFilter
from armillary.work_pools.filters import WorkPoolFilter
from armillary_plugins.ui.deployment_schemas import DeploymentFilterForm
from armillary_plugins.ui.repository.deployments import Place
from armillary_plugins.ui.schemas import Choice as Entry
from armillary_plugins.ui.schemas import FilterChip

PAUSED, ACTIVE = "paused", "active"
_CHOICES = (Entry(value=ACTIVE, text="Active"), Entry(value=PAUSED, text="Paused"))
_QUERY = {"name": "flowOrDeploymentName", "tags": "tags", "paused": "status", "pool": "pool"}
_LONGEST = 200
_ID = 36


class DeploymentsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, as text, and where the page is cut."""

    name: str = ""
    tags: str = ""
    paused: str = ""
    pool: str = ""
    after: Place | None = None
    before: Place | None = None

    def condition(self) -> Condition:
        """Say which deployments ``d`` are meant."""
        paused = {PAUSED: True, ACTIVE: False}.get(self.paused)
        return DeploymentCriteria(
            deployments=DeploymentFilter(
                flow_or_deployment_name=Likeness(like_=self.name) if self.name else None,
                tags=AnyTags(all_=_split(self.tags)) if self.tags else None,
                paused=None if paused is None else Flag(eq_=paused),
            ),
            work_pools=WorkPoolFilter(name=Choice(any_=[self.pool])) if self.pool else None,
        ).condition()

    @property
    def filters(self) -> bool:
        """Whether anything is left out."""
        return bool(self.name or self.tags or self.paused or self.pool)

    def path(self, base: str = "/deployments", **changes: Any) -> str:
        """The address of this list, or of it with changes; changes begin at the first page."""
        meant = self
        if changes:
            meant = msgspec.structs.replace(self, **{"after": None, "before": None, **changes})
        given = [
            (word, getattr(meant, field)) for field, word in _QUERY.items() if getattr(meant, field)
        ]
        given += [
            (word, f"{place.name}~{place.id}")
            for word, place in (("after", meant.after), ("before", meant.before))
            if place is not None
        ]
        return f"{base}?{urlencode(given)}" if given else base

    def first_page(self) -> DeploymentsQuery:
        """The same, from the beginning."""
        return msgspec.structs.replace(self, after=None, before=None)

    def form(self) -> DeploymentFilterForm:
        """The form as it was sent."""
        texts = {
            "name": f"Name has {self.name}",
            "tags": f"Tags {', '.join(_split(self.tags))}",
            "paused": self.paused.capitalize(),
            "pool": f"Pool {self.pool}",
        }
        return DeploymentFilterForm(
            name=self.name,
            tags=self.tags,
            paused=self.paused,
            pool=self.pool,
            choices=_CHOICES,
            chips=tuple(
                FilterChip(text=text, remove_path=self.path(**{field: ""}))
                for field, text in texts.items()
                if getattr(self, field)
            ),
        )


def read_deployments_query(query: Mapping[str, str]) -> DeploymentsQuery:
    """Read a query; what makes no sense is left out."""
    given = {
        field: query.get(word, "").replace("\0", "").strip()[:_LONGEST]
        for field, word in _QUERY.items()
    }
    if given["paused"] not in (PAUSED, ACTIVE):
        given["paused"] = ""
    if not _split(given["tags"]):
        given["tags"] = ""
    after, before = _place(query.get("after")), _place(query.get("before"))
    return DeploymentsQuery(**given, after=after, before=None if after else before)


def _place(text: str | None) -> Place | None:
    if text is None or len(text) <= _ID or text[-_ID - 1] != "~" or "\0" in text:
        return None
    return Place(text[: -_ID - 1], text[-_ID:])


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
