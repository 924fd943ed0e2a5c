"""Lines out of bytes: the same whatever the pieces, bounded, and nothing lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary_plugins.agent.lines import Lines


def lines_of(*pieces: bytes, longest: int = 20) -> list[str]:
    lines = Lines(longest)
    found = [line for piece in pieces for line in lines.feed(piece)]
    return [*found, *lines.end()]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a\n\nb",), ["a", "", "b"]),
        ((b"a\r\nb\r", b"\nc"), ["a", "b", "c"]),
        ((b"10%\r20%\r30%\n",), ["10%", "20%", "30%"]),
        ((b"gr\xc3", b"\xbcn\n"), ["grün"]),
        ((b"\xff\xfe\n",), ["\ufffd\ufffd"]),
        ((b"nul\0nul\n",), ["nul\ufffdnul"]),
        ((b"x" * 45 + b"\n",), ["x" * 20, "x" * 20, "x" * 5]),
        ((), []),
        ((b"\n",), [""]),
    ],
)
def test_bytes_become_lines(pieces: tuple[bytes, ...], lines: list[str]) -> None:
    assert lines_of(*pieces) == lines


def test_a_line_without_end_does_not_wait_in_memory() -> None:
    lines = Lines(10)
    assert len(lines.feed(b"x" * 1000)) >= 99


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_where_pieces_end_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    assert "".join(lines_of(*pieces)) == "".join(lines_of(data))
    assert all(len(line) <= 20 for line in lines_of(*pieces))


@given(st.text(alphabet=st.characters(exclude_characters="\0\r\n", codec="utf-8")))
def test_nothing_of_a_text_is_lost(text: str) -> None:
    assert "".join(lines_of(text.encode(), b"\n")) == text
