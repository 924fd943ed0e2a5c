"""Terminal colours of log lines as HTML classes, since no page may carry styles of its own."""

import re
from html import escape

_SEQUENCE = re.compile(r"\x1b(?:\[([0-9;:]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WEIGHTS = {1: "bold", 2: "dim", 3: "italic", 4: "underline"}
_BASIC = (
    (0, 0, 0),
    (170, 0, 0),
    (0, 170, 0),
    (170, 85, 0),
    (0, 0, 170),
    (170, 0, 170),
    (0, 170, 170),
    (170, 170, 170),
)
_CUBE = (0, 95, 135, 175, 215, 255)


def ansi_to_html(text: str) -> str:
    """The text escaped, its colours as `<span class="ansi-…">`; other sequences are left out."""
    if "\x1b" not in text:
        return _plain(text)
    parts: list[str] = []
    look: dict[str, str] = {}
    position = 0
    for match in _SEQUENCE.finditer(text):
        _append(parts, text[position : match.start()], look)
        position = match.end()
        if match[2] == "m":
            _apply(look, match[1])
    _append(parts, text[position:], look)
    return "".join(parts)


def _append(parts: list[str], text: str, look: dict[str, str]) -> None:
    if not text:
        return
    if look:
        classes = " ".join(sorted(set(look.values())))
        parts.append(f'<span class="{classes}">{_plain(text)}</span>')
    else:
        parts.append(_plain(text))


def _plain(text: str) -> str:
    return escape(_CONTROL.sub("", text))


def _apply(look: dict[str, str], parameters: str) -> None:
    codes = [int(code) if code else 0 for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            look.clear()
        elif code in _WEIGHTS:
            look[_WEIGHTS[code]] = f"ansi-{_WEIGHTS[code]}"
        elif code == 22:
            look.pop("bold", None)
            look.pop("dim", None)
        elif code in (23, 24):
            look.pop(_WEIGHTS[code - 20], None)
        elif code in (38, 48):
            _set(look, "fg" if code == 38 else "bg", _extended(codes))
        else:
            _colour(look, code)


def _colour(look: dict[str, str], code: int) -> None:
    for layer, start in (("fg", 30), ("bg", 40), ("fg", 90), ("bg", 100)):
        if start <= code < start + 8:
            _set(look, layer, code - start)
        elif start < 90 and code == start + 9:
            look.pop(layer, None)


def _set(look: dict[str, str], layer: str, colour: int | None) -> None:
    if colour is not None:
        look[layer] = f"ansi-{layer}{colour}"


def _extended(codes: list[int]) -> int | None:
    """The basic colour nearest to one of 256 or of 16 million; takes its codes off the list."""
    kind = codes.pop(0) if codes else None
    if kind == 5 and codes:
        return _nearest(_of_256(codes.pop(0)))
    if kind == 2 and len(codes) >= 3:
        rgb = (codes.pop(0), codes.pop(0), codes.pop(0))
        return _nearest(rgb)
    return None


def _of_256(index: int) -> tuple[int, int, int]:
    if index < 16:
        return _BASIC[index % 8]
    if index < 232:
        red, rest = divmod(index - 16, 36)
        return _CUBE[min(red, 5)], _CUBE[rest // 6], _CUBE[rest % 6]
    level = 8 + 10 * (min(index, 255) - 232)
    return level, level, level


def _nearest(colour: tuple[int, int, int]) -> int:
    return min(
        range(8),
        key=lambda index: sum(
            (mine - theirs) ** 2 for mine, theirs in zip(_BASIC[index], colour, strict=True)
        ),
    )
