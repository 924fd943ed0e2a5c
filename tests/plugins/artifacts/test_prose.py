"""Markdown from strangers does nothing but stand there."""

import pytest

from armillary_plugins.artifacts.prose import link, markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title", "<h4>Title</h4>"),
        ("###### small", "<h6>small</h6>"),
        (
            "[a](https://a.example)",
            '<p><a href="https://a.example" rel="noopener noreferrer nofollow">a</a></p>',
        ),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ('<img src=x onerror="x">', "<p>&lt;img src=x onerror=&quot;x&quot;&gt;</p>"),
        (
            '![a"<b>](https://a.example/x.png)',
            'rel="noopener noreferrer nofollow">a&#34;&lt;b&gt;</a></p>',
        ),
        ("![a](data:image/png;base64,AA)", "<p>a</p>"),
        ("| a |\n|---|\n| <b> |", "&lt;b&gt;"),
    ],
)
def test_markdown_is_rendered_without_anything_that_acts(text: str, html: str) -> None:
    assert html in str(markdown(text)).replace("\n", "")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/local", "data:text/html,x"])
def test_only_an_address_of_the_web_is_a_link(address: str) -> None:
    assert str(link(address, "<x>")) == "&lt;x&gt;"
