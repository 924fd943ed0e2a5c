"""Members that nobody knows are ignored and counted; what is known is decoded as ever."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import httpx
import msgspec
import pytest

from armillary.api import Body, OrDefault, decode
from armillary.core import Core
from armillary.errors import Invalid
from tests.api import Api


class Leaf(Body):
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    kind: Literal["a", "b"] = "a"


class Tree(Body):
    leaf: Leaf | None = None
    leaves: OrDefault[list[Leaf]] = msgspec.field(default_factory=list)
    named: dict[str, Leaf] = msgspec.field(default_factory=dict)
    pair: tuple[Leaf, int] | None = None
    below: list[Tree] | None = None
    any: msgspec.Raw = msgspec.Raw(b"null")
    other: str = msgspec.field(default="", name="else")


class Oak(msgspec.Struct, tag="oak"):
    age: int


class Elm(msgspec.Struct, tag="elm"):
    leaf: Leaf


class Wood(msgspec.Struct, frozen=True):
    trees: list[Oak | Elm]


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ('{"x`y":1}', "x`y"), ('{"leaf":{"colour":1}}', "colour"),
        ('{"leaf":null,"leaves":[{},{"colour":1}]}', "colour"),
        ('{"named":{"a":{"colour":1}}}', "colour"), ('{"pair":[{"colour":1},2]}', "colour"),
        ('{"below":[{"colour":1}]}', None), ('{"any":{"colour":1},"else":"e"}', None),
        ('{"leaves":null,"leaf":{"size":"7","kind":"b"}}', None), ("{}", None),
    ],
)  # fmt: skip
def test_a_member_nobody_knows_is_told_of_and_the_rest_is_decoded_as_ever(
    text: str, member: str | None
) -> None:
    told: list[str] = []
    found = decode(Tree, text.encode(), unknown=told.append)
    assert isinstance(found, Tree)
    assert told == ([] if member is None else [member])
    assert msgspec.json.encode(found) == msgspec.json.encode(decode(Tree, text.encode()))


def test_one_of_several_kinds_is_told_apart_as_ever() -> None:
    told: list[str] = []
    body = b'{"trees":[{"type":"oak","age":3},{"type":"elm","leaf":{"colour":1}}]}'
    found = decode(Wood, body, unknown=told.append)
    assert isinstance(found.trees[0], Oak)
    assert isinstance(found.trees[1], Elm)
    assert told == ["colour"]


@pytest.mark.parametrize("text", ['{"leaf":{"size":-1,"x":1}}', '{"leaf":7,"x":1}', "{", "[]"])
def test_what_is_wrong_is_refused_with_the_same_words(text: str) -> None:
    told: list[str] = []
    with pytest.raises(Invalid) as known:
        decode(Tree, text.encode(), unknown=told.append)
    with pytest.raises(Invalid) as plain:
        decode(Tree, text.encode())
    assert (str(known.value), told) == (str(plain.value), [])


async def test_requests_with_members_nobody_knows_are_taken_and_counted(
    core: Core, client: httpx.AsyncClient
) -> None:
    api = Api(client)
    await api.post("/flows/", {"name": "etl", "from_the_future": 1}, status=201)
    body: dict[str, Any] = {"flows": {"name": {"any_": ["etl"], "how": "fast"}}}
    assert len(await api.post("/flows/filter", body)) == 1
    series = {"operation": "POST /flows/", "member": "from_the_future"}
    assert core.metrics.value("armillary_unknown_members_total", **series) == 1
    text = (await client.get("/api/metrics")).text
    assert 'armillary_unknown_members_total{operation="POST /flows/filter",member="how"} 1' in text


async def test_names_that_clients_make_up_do_not_fill_the_metrics(
    core: Core, client: httpx.AsyncClient
) -> None:
    for number in range(210):
        await client.post("/api/flows/count", json={f"x{number}": 1})
    more = {"operation": "(more)", "member": "(more)"}
    assert core.metrics.value("armillary_unknown_members_total", **more) == 10
