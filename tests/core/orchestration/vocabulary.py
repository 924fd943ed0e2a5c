"""How cases write values, states and clients, and how they are read."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from armillary.orchestration.states import DEFAULT_NAMES, State, StateDetails, StateType
from armillary.orchestration.transition import Client

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DATA = {"kept": b'{"type":"reference"}', "unpersisted": b'{"type":"unpersisted"}', "text": b'"x"'}
IDS = {f.name for f in msgspec.structs.fields(StateDetails) if "UUID" in str(f.type)}
DETAILS = {f.name for f in msgspec.structs.fields(StateDetails)}


def client_of(text: str) -> Client:
    """Read `version=3.8.8 api=0.8.4`."""
    given = words(text)
    numbers = {key: tuple(int(n) for n in value.split(".")) for key, value in given.items()}
    return Client(version=numbers.get("version"), api=numbers.get("api"))


def state_of(text: str) -> State | None:
    """Read `TYPE "a message" name=… data=… detail=…`; nothing is no state."""
    if not text:
        return None
    kind, *rest = shlex.split(text)
    messages = [word for word in rest if "=" not in word]
    given = words(" ".join(shlex.quote(word) for word in rest if "=" in word))
    details = {key: given.pop(key) for key in list(given) if key in DETAILS}
    details |= {key: named(value) for key, value in details.items() if key in IDS}
    data = given.pop("data", None)
    return State(
        id="old",
        type=StateType(kind),
        name=given.pop("name", DEFAULT_NAMES[StateType(kind)]),
        timestamp=given.pop("timestamp", NOW - timedelta(seconds=30)),
        message=messages[0] if messages else None,
        data=msgspec.Raw(DATA[data]) if data else None,
        details=StateDetails(**details),
    )


def words(text: str) -> dict[str, Any]:
    """Read `key=value …`."""
    return {key: read(value) for key, _, value in (w.partition("=") for w in shlex.split(text))}


def read(word: str) -> Any:
    """Read one value: a time from now, yes, no, none, a number, a list, or a word."""
    if re.fullmatch(r"[+-][\d.]+s", word):
        return NOW + timedelta(seconds=float(word[:-1]))
    if re.fullmatch(r"\[.*\]", word):
        return [read(part) for part in word[1:-1].split(",") if part]
    if re.fullmatch(r"\d+(\.0)?", word):
        return int(float(word))
    return {"yes": True, "no": False, "none": None}.get(word, word)


def named(word: str) -> UUID:
    """Make an id that can be read again."""
    return UUID(bytes=word.encode().ljust(16, b"\0"))


def show(value: object) -> str:
    """Write one value down."""
    match value:
        case datetime():
            told = f"{(value - NOW).total_seconds():+.6f}".rstrip("0").rstrip(".") + "s"
        case bool():
            told = "yes" if value else "no"
        case UUID():
            letters = value.bytes.rstrip(b"\0")
            told = letters.decode() if letters.isascii() else "new"
        case list():
            told = "[" + ",".join(show(part) for part in value) + "]"
        case None:
            told = "none"
        case float():
            told = f"{value:g}"
        case _:
            told = str(value)
    return told


def show_state(state: State) -> str:
    """Write a state down, without what is as usual."""
    told = [str(state.type)]
    told += [f'"{state.message}"'] if state.message else []
    told += [f"name={state.name}"] if state.name != DEFAULT_NAMES[state.type] else []
    told += [
        f"data={word}" for word, raw in DATA.items() if state.data and bytes(state.data) == raw
    ]
    return " ".join(told + differences(StateDetails(), state.details))


def differences(before: msgspec.Struct, after: msgspec.Struct) -> list[str]:
    """List the members of a struct that differ."""
    return [
        f"{name}={show(getattr(after, name))}"
        for name in after.__struct_fields__
        if getattr(after, name) != getattr(before, name)
    ]
