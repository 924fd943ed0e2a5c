"""What of a proposed state's data is kept."""

import msgspec
import pytest

from armillary.orchestration.wire import kept_data


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("null", None),
        ('{"type": "unpersisted", "a": 1}', None),
        ('{"type": "x", "a": 1}', '{"type": "x", "a": 1}'),
        ('"text"', '"text"'),
        ('["artifact_key"]', '["artifact_key"]'),
        (
            '{"artifact_key": 1, "a": {"artifact_type": 1}, "artifact_type": 1, "artifact_x": 1}',
            '{"a":{"artifact_type": 1},"artifact_x":1}',
        ),
    ],
)
def test_markers_and_labels_of_results_are_no_data(given: str, kept: str | None) -> None:
    found = kept_data(msgspec.Raw(given.encode()))
    assert (found and bytes(found).decode()) == kept
