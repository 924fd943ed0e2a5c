"""Numbers of any size: refused where a value is written anew, and read where others wrote it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.exact_json import has_too_long_number, read_any, read_json

LONG = "9" * 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NaN", "NaN is not a JSON value"), ("[Infinity]", "Infinity is not"),
        ('{"a": -1e400}', "-1e400 is larger"), (LONG, "4300 digits"), ("{", "Expecting"),
    ],
)  # fmt: skip
def test_what_has_no_json_to_be_written_as_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_json(text)


@pytest.mark.parametrize("text", ["1180591620717411303424", "[0.1,1.5e300]", '"\\ud800"', "null"])
def test_everything_else_is_read(text: str) -> None:
    assert read_json(text) == read_any(text)


def test_a_number_that_nothing_here_holds_is_read_as_a_text() -> None:
    assert read_any(f"[1e999,-1e400,{LONG},1.5,7]") == ["1e999", "-1e400", LONG, 1.5, 7]
    with pytest.raises(ValueError, match="Expecting"):
        read_any(b"{")


def test_what_is_read_can_be_written() -> None:
    assert msgspec.json.encode(read_any('{"a":1e999}')) == b'{"a":"1e999"}'


def _is_read_by_python(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


LENGTHS = st.sampled_from([1, 5, 4299, 4300, 4301, 4302, 8600, 8603, 20_000])
MEMBERS = st.tuples(LENGTHS, st.sampled_from(["{}", "-{}", "0.{}", "{}.5", '"{}"', '"a\\"{}"']))


@given(st.lists(MEMBERS, max_size=4), st.integers(min_value=0, max_value=4400))
def test_a_number_is_too_long_if_python_does_not_read_it(
    members: list[tuple[int, str]], before: int
) -> None:
    values = ",".join(pattern.format("7" * length) for length, pattern in members)
    text = b" " * before + f"[{values}]".encode()
    assert has_too_long_number(text) is not _is_read_by_python(text)


@pytest.mark.parametrize("text", [b"", b"7" * 4300, b"{" + b"7" * 9000, b"[" * 9000 + b"7" * 9000])
def test_what_is_no_json_has_no_number_that_is_too_long(text: bytes) -> None:
    assert not has_too_long_number(text)
