"""Names and messages in texts that Streamlit reads as Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ui.markdown import escaped


@pytest.mark.parametrize(
    "text",
    [
        "tiny_cnn, 24.5 % (n = 3,589)",
        "photo_of_me.jpg",
        "0:30 to 1:05",
        "FER2013: 28,709",
        "p < 0.05",
        "C:/photos",
        "n = 36. Two",
        "#1",
        "a & b",
    ],
)
def test_ordinary_texts_are_not_changed(text):
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my *photo* costs $5 or $6.jpg", r"my \*photo\* costs \$5 or \$6.jpg"),
        ("[happy](http://x.y)", r"\[happy\](http://x.y)"),
        ("_x_ ~~y~~ `z`", r"\_x\_ \~\~y\~\~ \`z\`"),
        (":red[x] :smile: :material/face:", r"\:red\[x\] \:smile: \:material/face:"),
        (":+1: :100: a&amp;b.jpg", r"\:+1: \:100: a\&amp;b.jpg"),
        ("# me.jpg", r"\# me.jpg"),
        ("- me.jpg", r"\- me.jpg"),
        ("1. me.jpg", r"1\. me.jpg"),
        ("##", r"\##"),
    ],
)
def test_markdown_is_shown_and_not_interpreted(text, shown):
    assert escaped(text) == shown


@given(st.text())
def test_nothing_is_lost(text):
    assert re.sub(r"\\([\\`*\[\]$~_:&#>+.)-])", r"\1", escaped(text)) == text
