"""Automations as the SDK, the command line and deployments make them; what is read is asserted."""

from __future__ import annotations

import json
from typing import Any

from tests.end_to_end.programs import Prefect, eventually, printed

EVERY_KIND = """
    import json
    from datetime import timedelta
    from uuid import UUID
    from prefect.automations import (
        Automation, CallWebhook, CancelFlowRun, ChangeFlowRunState, CompoundTrigger,
        DeleteFlowRun, DoNothing, EventTrigger, MetricTrigger, MetricTriggerOperator,
        MetricTriggerQuery, PauseAutomation, PauseDeployment, PauseWorkPool, PauseWorkQueue,
        Posture, PrefectMetric, ResumeAutomation, ResumeDeployment, ResumeWorkPool,
        ResumeWorkQueue, RunDeployment, SendNotification, SequenceTrigger, SuspendFlowRun,
    )
    from prefect.events.actions import ResumeFlowRun

    SOME = UUID("00000000-0000-4000-8000-00000000000a")
    event = EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*", "é": ["a", "!b"]},
        match_related=[{"prefect.resource.role": "flow"}, {"x": ["y"]}],
        after={"begun"}, expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
        for_each={"prefect.resource.id", "related:flow:prefect.resource.id"},
        posture=Posture.Reactive, threshold=3, within=timedelta(minutes=1, microseconds=1),
    )
    silence = EventTrigger(expect={"heartbeat"}, posture="Proactive", within=timedelta(hours=30))
    metric = MetricTrigger(
        match={"prefect.resource.id": "prefect.flow.*"},
        metric=MetricTriggerQuery(
            name=PrefectMetric.duration, threshold=0.1, operator=MetricTriggerOperator.GTE,
            range=timedelta(days=1), firing_for=timedelta(seconds=300.5),
        ),
    )
    sequence = SequenceTrigger(triggers=[event, silence], within=None)
    compound = CompoundTrigger(
        triggers=[sequence, metric, event], require=2, within=timedelta(days=400)
    )
    bare = EventTrigger(posture="Proactive")
    actions = [
        DoNothing(), CancelFlowRun(), SuspendFlowRun(), ResumeFlowRun(), DeleteFlowRun(),
        ChangeFlowRunState(state="FAILED", name="Given up", message="m", force=True),
        RunDeployment(source="inferred"),
        RunDeployment(
            deployment_id=SOME, schedule_after=timedelta(seconds=90.25),
            parameters={"n": 2**70, "t": "{{ event.id }}", "d": {"a": [None, 1.5]}},
        ),
        PauseDeployment(deployment_id=SOME), ResumeDeployment(source="inferred"),
        PauseWorkPool(work_pool_id=SOME), ResumeWorkPool(source="inferred"),
        PauseWorkQueue(work_queue_id=SOME), ResumeWorkQueue(source="inferred"),
        PauseAutomation(automation_id=SOME), ResumeAutomation(source="inferred"),
        CallWebhook(block_document_id=SOME, payload='{"run": "{{ flow_run.name }}"}'),
        SendNotification(block_document_id=SOME, subject="s", body="{{ automation.name }}"),
    ]
    same = []
    for number, trigger in enumerate([event, silence, metric, sequence, compound, bare]):
        made = Automation(
            name=f"kind-{number}", description="d", tags=["b", "a"], trigger=trigger,
            actions=actions, actions_on_trigger=actions[:1], actions_on_resolve=actions[1:2],
        ).create()
        read = Automation.read(id=made.id)
        same.append(read.model_dump() == made.model_dump() == Automation.read(
            name=f"kind-{number}").model_dump())
        read.name, read.trigger = f"kind-{number} changed", event
        read.update()
        again = Automation.read(id=made.id)
        same.append(again.model_dump() == read.model_dump())
        same.append(made.disable() and Automation.read(id=made.id).enabled is False)
        same.append(made.enable() and Automation.read(id=made.id).enabled is True)
        same.append(made.delete() is True and made.delete() is False)
        try:
            Automation.read(id=made.id)
        except ValueError as error:
            same.append("not found" in str(error))
    refused = []
    for trigger, action in (
        (event, RunDeployment(deployment_id=SOME, job_variables={"a": 1})),
        (EventTrigger(expect={"prefect.flow-run.*"}), RunDeployment(source="inferred")),
        (event, SendNotification(block_document_id=SOME, body="{{ automation")),
    ):
        try:
            Automation(name="refused", trigger=trigger, actions=[action]).create()
        except Exception as error:
            refused.append(str(error))
    print("RESULT " + json.dumps([same, refused]))
"""


def test_what_the_sdk_reads_is_what_it_wrote(prefect: Prefect) -> None:
    same, refused = printed(prefect.run(EVERY_KIND))
    assert same == [True] * 36
    assert len(refused) == 3
    assert "Deployment not found." in refused[0]
    assert "infinite loop" in refused[1]
    assert "'body' is not a valid template" in refused[2]


def test_automations_are_led_from_the_command_line(prefect: Prefect) -> None:
    trigger = {"type": "event", "posture": "Reactive", "expect": ["door.opened"], "threshold": 2}
    watch = {"name": "watch-door", "trigger": trigger, "actions": [{"type": "cancel-flow-run"}]}
    said = prefect.cli("automation", "create", "--from-json", json.dumps(watch))
    assert "Created automation 'watch-door' with id" in " ".join(said.split())
    (made,) = named(prefect, "watch-door")
    listed = prefect.cli("automation", "ls")
    for words in ("watch-door", "Reactive: expecting 2 of", "Cancel flow run", "True"):
        assert words in listed
    (shown,) = json.loads(prefect.cli("automation", "inspect", "watch-door", "--json"))
    assert (shown["id"], shown["trigger"]["expect"]) == (made["id"], ["door.opened"])
    assert "Paused automation" in prefect.cli("automation", "pause", "watch-door")
    assert named(prefect, "watch-door")[0]["enabled"] is False
    assert "Resumed automation" in prefect.cli("automation", "resume", "--id", made["id"])
    assert named(prefect, "watch-door")[0]["enabled"] is True
    assert "Deleted automation" in prefect.cli("automation", "delete", "watch-door")
    prefect.cli("automation", "inspect", "watch-door", code=1)
    bad = {**watch, "actions": [{"type": "call-webhook", "payload": "{{ x",
                                 "block_document_id": made["id"]}]}  # fmt: skip
    assert "422" in prefect.cli("automation", "create", "--from-json", json.dumps(bad), code=1)


SERVED = """
    from prefect import flow
    from prefect.events import DeploymentEventTrigger

    @flow
    def opened(where="door"):
        pass

    if __name__ == "__main__":
        opened.serve(
            name="on-event",
            triggers=[
                DeploymentEventTrigger(
                    expect={"door.opened"}, parameters={"where": "{{ event.resource.id }}"}
                ),
                DeploymentEventTrigger(name="by hand", enabled=False, expect={"door.closed"}),
            ],
        )
"""
YAML = """
    deployments:
      - name: on-events
        entrypoint: triggered.py:triggered
        work_pool:
          name: yard
          job_variables:
            stream_output: true
        triggers:
          - type: compound
            require: any
            within: 3600
            schedule_after: 30
            job_variables:
              env:
                A: b
            triggers:
              - match:
                  prefect.resource.id: door.*
                expect: [door.opened]
              - posture: Proactive
                expect: [door.closed]
                within: 20
"""


def test_deployments_bring_their_automations(prefect: Prefect) -> None:
    with prefect.starting(SERVED) as program:
        program.says("polling for scheduled runs")
        first = owned(prefect, "opened/on-event")
        program.interrupt()
    assert {each["name"] for each in first} == {"on-event__automation_1", "by hand"}
    (by_event,) = [each for each in first if each["enabled"]]
    assert by_event["actions"][0]["parameters"] == {"where": "{{ event.resource.id }}"}

    prefect.write("triggered.py", """
        from prefect import flow

        @flow
        def triggered():
            pass
    """)  # fmt: skip
    prefect.write("prefect.yaml", YAML)
    prefect.cli("work-pool", "create", "yard", "--type", "process")
    for _ in range(2):
        prefect.cli("--no-prompt", "deploy", "--all")
        (made,) = owned(prefect, "triggered/on-events")
    assert made["name"] == "on-events__automation_1"
    (action,) = made["actions"]
    assert (action["type"], action["source"]) == ("run-deployment", "selected")
    assert (action["schedule_after"], action["job_variables"]) == (30.0, {"env": {"A": "b"}})
    trigger = made["trigger"]
    assert (trigger["type"], trigger["require"], trigger["within"]) == ("compound", "any", 3600.0)
    assert [each["posture"] for each in trigger["triggers"]] == ["Reactive", "Proactive"]


def named(prefect: Prefect, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = prefect.post(
        "/automations/filter", {"automations": {"name": {"any_": [name]}}}
    )
    return found


def owned(prefect: Prefect, deployment: str) -> list[dict[str, Any]]:
    found = eventually(lambda: prefect.get(f"/deployments/name/{deployment}"), deployment)
    related: list[dict[str, Any]] = prefect.get(
        f"/automations/related-to/prefect.deployment.{found['id']}"
    )
    return related
