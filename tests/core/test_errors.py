import pytest

from core.errors import FerscopeError


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("there is no network 'x'", "There is no network 'x'."),
        ("expected a split, got PublicTest!", "Expected a split, got PublicTest!"),
        ("photo.jpg cannot be read", "photo.jpg cannot be read."),
        ("cnn: card.json is missing", "cnn: card.json is missing."),
        ("a/b is not an image", "a/b is not an image."),
        ("", ""),
    ],
)
def test_sentence_starts_with_a_capital_unless_a_name_comes_first(message, sentence):
    assert FerscopeError(message).sentence == sentence
