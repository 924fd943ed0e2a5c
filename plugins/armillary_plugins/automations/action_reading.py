"""Reads actions as clients write them, and checks the templates in them."""

from __future__ import annotations

from typing import TypeAlias, get_args

import msgspec

from armillary.errors import Invalid
from armillary_plugins.automations.action_schemas import (
    AnyAction,
    CallWebhook,
    RunDeployment,
    SendNotification,
)
from armillary_plugins.automations.durations import seconds
from armillary_plugins.automations.faults import Place, members_of, placed, word_of
from armillary_plugins.automations.templates import check_parameters, check_text

_Kind: TypeAlias = type[msgspec.Struct]
KINDS: dict[str, _Kind] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyAction)}
"""Every kind of action by what it is called."""
_encode = msgspec.json.Encoder().encode
_DECODERS = {name: msgspec.json.Decoder(kind, strict=False) for name, kind in KINDS.items()}


def read_action(raw: msgspec.Raw, loc: Place) -> AnyAction:
    """Return an action; Invalid says what is wrong with it, and where."""
    members = members_of(raw, loc, "An action")
    name = _name(members, loc)
    if name == "run-deployment" and "schedule_after" in members:
        span = seconds(members["schedule_after"], (*loc, "schedule_after"))
        members["schedule_after"] = msgspec.Raw(_encode(span))
    if name == "call-webhook" and not bytes(members.get("payload", b'"')).startswith(b'"'):
        members["payload"] = msgspec.Raw(_encode(_written_out(members["payload"])))
    try:
        action: AnyAction = _DECODERS[name].decode(_encode(members))  # type: ignore[assignment]
    except msgspec.ValidationError as error:
        raise placed(error, loc) from error
    _check_templates(action, loc)
    return action


def _name(members: dict[str, msgspec.Raw], loc: Place) -> str:
    if "type" in members:
        return word_of(members["type"], KINDS, loc, "type of action")
    raise Invalid(
        f"An action needs a type; there are {', '.join(KINDS)}.", loc=(*loc, "type"), kind="missing"
    )


def _written_out(payload: msgspec.Raw) -> str:
    """Write a payload that is an object, as older clients send it, as text."""
    return msgspec.json.format(payload, indent=2).decode()


def _check_templates(action: AnyAction, loc: Place) -> None:
    if isinstance(action, SendNotification):
        check_text(action.subject, (*loc, "subject"))
        check_text(action.body, (*loc, "body"))
    elif isinstance(action, CallWebhook):
        check_text(action.payload, (*loc, "payload"))
    elif isinstance(action, RunDeployment) and action.parameters:
        check_parameters(action.parameters, (*loc, "parameters"))
