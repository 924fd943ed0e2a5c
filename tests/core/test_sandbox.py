"""Templates of users: what they may do, and what they are kept from."""

from __future__ import annotations

import pytest

from armillary.sandbox import TemplateRefused, check_template, render_template


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain text", "plain text"),
        ("{{ name }} is {{ 'up' if up else 'down' }}", "flow is up"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ ['a', 'b'] | join(', ') | upper }}", "A, B"),
        ("{{ '%s=%d' % ('a', 1) }}{{ '{:>3}'.format(7) }}", "a=1  7"),
        ("{{ 2 ** 10 * 3 }}{{ '-' * 3 }}", "3072---"),
        ("{{ missing }}", ""),
        ("{{ {'a': 1} | tojson }}", '{"a": 1}'),
    ],
)
def test_a_template_is_rendered(template: str, expected: str) -> None:
    assert render_template(template, {"name": "flow", "up": True}) == expected


LOOP = "{% for i in [1] %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ range(101) | list }}", "Range of 101"),
        (LOOP * 11, "11 for loops"),
        (LOOP.replace("}{%", "}" + LOOP.replace("}{%", "}" + LOOP + "{%") + "{%"), "3 deep"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ [].append(1) }}", "unsafe"),
        ("{{ 'a' * 1000000000 }}", "too long"),
        ("{{ 1000000000 * [1] }}", "too long"),
        ("{{ 9 ** 999 }}", "too large"),
        ("{{ '%1000000000d' % 1 }}", "width"),
        ("{{ '%*d' % (1000000000, 1) }}", "width"),
        ("{{ '{:>1000000000}'.format(1) }}", "width"),
        ("{{ '{:>{w}}'.format(1, w=1000000000) }}", "width"),
        ("{{ 'a'.ljust(1000000000) }}", "unsafe"),
        ("{{ 'a' | center(1000000000) }}", "No filter named 'center'"),
        ("{{ lipsum() }}", "undefined"),
        (
            (
                "{% for i in range(100) %}{% for j in range(100) %}"
                "{{ 'x' * 100 }}{% endfor %}{% endfor %}"
            ),
            "more than 524288",
        ),
        ("{% for %}", "Expected"),
        ("{{ 1 / 0 }}", "division"),
    ],
)
def test_a_template_that_reaches_too_far_is_refused(template: str, words: str) -> None:
    with pytest.raises(TemplateRefused, match=words):
        render_template(template, {})


def test_checking_does_not_render() -> None:
    check_template("{{ 1 / 0 }}")


@pytest.mark.parametrize("template", ["{{ " + "a + " * 3000 + "a }}", "{{ " + "(" * 3000])
def test_a_template_nested_beyond_all_reason_is_refused(template: str) -> None:
    with pytest.raises(TemplateRefused, match="nested too deeply"):
        check_template(template)


@pytest.mark.parametrize(
    ("template", "line"), [("{{ a", 1), ("a\nb\n{% for %}", 3), (LOOP * 11, 0)]
)
def test_a_refusal_names_the_line_at_fault(template: str, line: int) -> None:
    with pytest.raises(TemplateRefused) as refused:
        check_template(template)
    assert refused.value.line == line
