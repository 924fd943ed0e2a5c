"""Numbers of any size: refused where a value is written anew, and read where others wrote it."""

import msgspec
import pytest

from armillary.exact_json import read_any, read_json

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
