"""Forms of pages: every value in its order, and what is no form is said to be none."""

from __future__ import annotations

import pytest

from armillary.api import decode
from armillary.errors import Invalid
from armillary.forms import Form


def test_a_form_keeps_values_in_order_and_the_last_one_counts() -> None:
    form = decode(Form, b"shell=no&shell=yes&name=a+b%26c&note=one%0D%0Atwo&empty=")
    assert form.get("shell") == "yes"
    assert form.every("shell") == ["no", "yes"]
    assert form.get("name") == "a b&c"
    assert form.get("note") == "one\ntwo"
    assert "empty" in form
    assert "other" not in form
    assert form.get("other", "none") == "none"


@pytest.mark.parametrize(
    "body", [b"name=\xff", b"name=%ff", b"name=%00", b"&".join([b"a=1"] * 5001)]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        decode(Form, body)
