"""Actions: every kind comes back whole; what is wrong with one is told, and where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from armillary.errors import Invalid
from armillary_plugins.automations.action_reading import KINDS, read_action
from armillary_plugins.automations.templates import MAX_TEMPLATE
from tests.api import NOBODY

TARGETS = {
    "deployment": ("run-deployment", "pause-deployment", "resume-deployment"),
    "work_pool": ("pause-work-pool", "resume-work-pool"),
    "work_queue": ("pause-work-queue", "resume-work-queue"),
    "automation": ("pause-automation", "resume-automation"),
}
TARGETED = [(kind, f"{target}_id") for target, kinds in TARGETS.items() for kind in kinds]
PLAIN = (
    "do-nothing", "cancel-flow-run", "suspend-flow-run", "resume-flow-run", "delete-flow-run",
)  # fmt: skip
LOOP = "{% for a in b %}x{% endfor %}"
NESTED = "{% for a in b %}{% for c in d %}{% for e in f %}{% endfor %}{% endfor %}{% endfor %}"


def read(action: Any) -> Any:
    """What is stored of an action."""
    raw = msgspec.Raw(action if isinstance(action, bytes) else msgspec.json.encode(action))
    return msgspec.json.decode(msgspec.json.encode(read_action(raw, ("body", "actions", 0))))


def test_every_kind_there_is_can_be_read() -> None:
    told = {kind for kind, _ in TARGETED} | set(PLAIN)
    assert set(KINDS) == told | {"change-flow-run-state", "call-webhook", "send-notification"}


@pytest.mark.parametrize("kind", PLAIN)
def test_one_without_members_is_its_type(kind: str) -> None:
    assert read({"type": kind, "strange": 1}) == {"type": kind}


@pytest.mark.parametrize(("kind", "member"), TARGETED)
def test_what_is_acted_on_is_named_or_inferred(kind: str, member: str) -> None:
    more = {"parameters": None, "job_variables": None, "schedule_after": 0.0}
    extra = more if kind == "run-deployment" else {}
    selected = {"type": kind, "source": "selected", member: NOBODY, **extra}
    assert read({"type": kind, member: NOBODY.upper()}) == selected
    assert read(selected) == selected
    inferred = {"type": kind, "source": "inferred", member: None, **extra}
    assert read({"type": kind, "source": "inferred"}) == inferred
    assert read({**inferred, "source": "inferred"}) == inferred
    for wrong, words in (
        ({"type": kind}, f"{member} is required"),
        ({"type": kind, "source": "selected", member: None}, f"{member} is required"),
        ({"type": kind, "source": "inferred", member: NOBODY}, f"{member} is not allowed"),
        ({"type": kind, "source": "guessed", member: NOBODY}, "guessed"),
        ({"type": kind, member: "x"}, "UUID"),
    ):
        with pytest.raises(Invalid, match=words):
            read(wrong)


def test_what_a_run_is_given_is_kept_to_the_last_digit() -> None:
    parameters = b'{"n":' + b"1" * 30 + b',"f":1.000000000000000000001,"d":{"a":[null]}}'
    action = (
        b'{"type":"run-deployment","source":"inferred","parameters":' + parameters
        + b',"job_variables":{"env":{"A":"{{ not a template"}},"schedule_after":"PT1M"}'
    )  # fmt: skip
    found = read_action(msgspec.Raw(action), ("body",))
    assert parameters in msgspec.json.encode(found)
    assert read(action)["schedule_after"] == 60.0


def test_a_state_is_given_by_its_type() -> None:
    action = {"type": "change-flow-run-state", "state": "FAILED"}
    assert read(action) == {**action, "name": None, "message": None, "force": False}
    full = {**action, "name": "Given up", "message": "m", "force": True}
    assert read(full) == full


def test_a_notification_has_a_subject_of_its_own_or_ours() -> None:
    action = {"type": "send-notification", "block_document_id": NOBODY, "body": "{{ flow.name }}"}
    assert read(action) == {**action, "subject": "Prefect automated notification"}


@pytest.mark.parametrize(
    ("given", "stored"),
    [("{{ event.id }}", "{{ event.id }}"), (None, ""), ({"a": 1, "b": {}}, None), (7, "7")],
)
def test_a_payload_that_is_no_text_is_written_out(given: Any, stored: str | None) -> None:
    action = {"type": "call-webhook", "block_document_id": NOBODY, "payload": given}
    expected = '{\n  "a": 1,\n  "b": {}\n}' if stored is None else stored
    assert read(action) == {**action, "payload": expected}


@pytest.mark.parametrize(
    "parameters",
    [
        {"a": "{{ event.id }} of {{ flow }}", "b": ["{% if a %}b{% endif %}", {"c": "{{ d }}"}]},
        {"a": {"__prefect_kind": "json", "value": "[1]"}},
        {"a": {"__prefect_kind": "json"}},
        {"a": {"__prefect_kind": "jinja", "template": "{{ labels.a.b }}"}},
        {"a": {"__prefect_kind": "workspace_variable", "variable_name": "unknown_by_now"}},
        {"__prefect_kind": "json", "value": "{}"},
        {"a": LOOP * 10, "b": "{ not } a {template}"},
    ],
)  # fmt: skip
def test_parameters_may_stand_for_others_and_be_templates(parameters: Any) -> None:
    action = {"type": "run-deployment", "source": "inferred", "parameters": parameters}
    assert read(action)["parameters"] == parameters


WEBHOOK = {"type": "call-webhook", "block_document_id": NOBODY}
NOTE = {"type": "send-notification", "block_document_id": NOBODY, "body": "b"}
RUN = {"type": "run-deployment", "source": "inferred"}
BAD: list[tuple[Any, tuple[Any, ...], str]] = [
    (7, (), "object"),
    ({}, ("type",), "needs a type; there are do-nothing"),
    ({"type": "declare-incident"}, ("type",), "no type of action"),
    ({"type": 7}, ("type",), "7"),
    ({"type": 10**400}, ("type",), "1000"),
    ({"type": ["do-nothing"]}, ("type",), "do-nothing"),
    ({"type": "call-webhook"}, (), "block_document_id"),
    ({"type": "send-notification", "block_document_id": NOBODY}, (), "body"),
    ({**NOTE, "block_document_id": None}, (), "block_document_id"),
    ({**NOTE, "block_document_id": "x"}, ("block_document_id",), "UUID"),
    ({**NOTE, "subject": "{{ a"}, ("subject",), "'subject' is not a valid template: "),
    ({**NOTE, "body": LOOP * 11}, ("body",), "11 for loops"),
    ({**NOTE, "body": NESTED}, ("body",), "3 deep"),
    ({**NOTE, "body": "{{ a | }}"}, ("body",), "'body' is not a valid template"),
    ({**NOTE, "body": "x" * (MAX_TEMPLATE + 1)}, ("body",), "characters"),
    ({**WEBHOOK, "payload": "{% for %}"}, ("payload",), "'payload' is not a valid template"),
    ({**WEBHOOK, "payload": {"a": "{{ b"}}, ("payload",), "'payload' is not a valid template"),
    ({"type": "change-flow-run-state"}, (), "state"),
    ({"type": "change-flow-run-state", "state": "Failed"}, ("state",), "Failed"),
    ({**RUN, "schedule_after": -1}, ("schedule_after",), "negative"),
    ({**RUN, "parameters": [1]}, ("parameters",), "object"),
    ({**RUN, "job_variables": "x"}, ("job_variables",), "object"),
    ({**RUN, "parameters": {"a": {"b": ["{{ c"]}}}, ("parameters",), "a.b[0]: Invalid jinja"),
    ({**RUN, "parameters": {"a": "{{ c" + "c" * MAX_TEMPLATE}}, ("parameters",), "longer than"),
    ({**RUN, "parameters": {"a": {"__prefect_kind": "json", "value": "{"}}},
     ("parameters",), "a: Invalid JSON"),
    ({**RUN, "parameters": {"a": {"__prefect_kind": "none"}}},
     ("parameters",), "a: Missing 'value' key"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "place", "words"), BAD)
def test_what_is_wrong_is_told_with_its_place(
    action: Any, place: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(action)
    (problem,) = refused.value.problems
    assert words in problem["msg"]
    assert problem["loc"] == ["body", "actions", 0, *place]


def test_parameters_nested_beyond_reason_are_refused() -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    action = b'{"type":"run-deployment","source":"inferred","parameters":' + deep + b"}"
    with pytest.raises(Invalid, match="Invalid parameters"):
        read(action)
