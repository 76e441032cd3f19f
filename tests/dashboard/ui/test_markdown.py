"""Names and messages in texts that Streamlit reads as Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ui.markdown import WORD_JOINER, escaped


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
        "0:30:45",
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
        (":red[x]", r"\:red\[x\]"),
        ("trip:blue.jpg", r"trip\:blue.jpg"),  # without the escape, Streamlit drops the name of a color
        ("a&amp;b.jpg", r"a\&amp;b.jpg"),
        ("# me.jpg", r"\# me.jpg"),
        ("- me.jpg", r"\- me.jpg"),
        ("1. me.jpg", r"1\. me.jpg"),
        ("##", r"\##"),
    ],
)
def test_markdown_is_shown_and_not_interpreted(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize("name", ["smile", "+1", "-1", "100", "8ball", "flag-us", "material/face"])
def test_names_of_emoji_and_icons_are_not_replaced(name):
    shown = escaped(f"me:{name}:.jpg")
    assert f":{name}:" not in shown  # the pattern that Streamlit searches for
    assert shown.replace(WORD_JOINER, "").replace("\\", "") == f"me:{name}:.jpg"


@given(st.text().filter(lambda text: WORD_JOINER not in text))
def test_nothing_is_lost(text):
    assert re.sub(r"\\([\\`*\[\]$~_:&#>+.)-])", r"\1", escaped(text).replace(WORD_JOINER, "")) == text
