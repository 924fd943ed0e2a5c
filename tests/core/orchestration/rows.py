"""The list of behaviours and the matrix of outcomes, read from tests/scenarios/rows.txt."""


def read_rows(text: str) -> dict[str, str]:
    """Return who does each numbered behaviour, by its number."""
    rows = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) > 2 and words[1].startswith("#") and not line.startswith("#"):
            rows[f"{words[0]} {words[1]}"] = words[2]
    return rows


def read_cells(text: str) -> dict[tuple[str, str], set[str]]:
    """Return the outcomes that each cell of the matrix may have, by its row and column."""
    lines = text[text.index("\ncells ") :].strip().splitlines()
    columns = lines[0].split()[1:]
    return {
        (words[0], column): set(outcomes.split("|"))
        for words in map(str.split, lines[1:])
        for column, outcomes in zip(columns, words[1:], strict=True)
    }
