"""Automations that would set themselves off without end."""

from __future__ import annotations

from collections.abc import Iterable

from armillary.errors import Invalid
from armillary_plugins.automations.action_schemas import AnyAction, RunDeployment
from armillary_plugins.automations.trigger_schemas import EventTrigger, Specification, Trigger

_OF_EVERY_RUN = frozenset(
    {
        "prefect.flow-run.Scheduled",
        "prefect.flow-run.Pending",
        "prefect.flow-run.Running",
        "prefect.flow-run.*",
    }
)
"""What happens to every run that a deployment makes."""
_EVERY_RUN = "prefect.flow-run.*"


def check_loops(trigger: Trigger, actions: Iterable[AnyAction]) -> None:
    """Raise Invalid for runs that lead to runs of the same deployment, and so on.

    That is so for events of runs: always where the deployment is the event's own, and where it is
    named, if the trigger lets every run through.
    """
    if not isinstance(trigger, EventTrigger) or trigger.posture != "Reactive":
        return
    if _OF_EVERY_RUN.isdisjoint(trigger.expect):
        return
    for number, action in enumerate(actions):
        if not isinstance(action, RunDeployment):
            continue
        loc = ("body", "actions", number)
        if action.source == "inferred":
            raise Invalid(
                "To run the deployment that is inferred from an event of its own runs makes an "
                "infinite loop of runs: select a deployment, and narrow down with match or "
                "match_related which runs lead to it.",
                loc=loc,
            )
        if _lets_every_run_through(trigger):
            raise Invalid(
                "To run a selected deployment for the event of any run may make an infinite loop "
                "of runs: narrow down with match or match_related which runs lead to it, so that "
                "those of the deployment itself do not.",
                loc=loc,
            )


def _lets_every_run_through(trigger: EventTrigger) -> bool:
    related = trigger.match_related
    several = related if isinstance(related, list) else [related]
    return _is_about_every_run(trigger.match) and any(map(_is_about_every_run, several))


def _is_about_every_run(specification: Specification) -> bool:
    if not specification:
        return True
    wanted = specification.get("prefect.resource.id", [])
    return len(specification) == 1 and _EVERY_RUN in (
        [wanted] if isinstance(wanted, str) else wanted
    )
