import pickle

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
        ("flat has no splits", "flat has no splits."),
        ("one on val: every image must appear once", "one on val: every image must appear once."),
        ("expected a column, got 'path,la…", "Expected a column, got 'path,la…"),
        ("my photos.csv is empty", "my photos.csv is empty."),
        ("a folder was expected", "A folder was expected."),
        ("no weights. Free some disk space.", "No weights. Free some disk space."),
        ("", ""),
    ],
)
def test_sentence_starts_with_a_capital_unless_a_name_comes_first(message, sentence):
    assert FerscopeError(message).sentence == sentence


def test_a_message_has_no_final_period_so_that_it_can_stand_inside_of_a_sentence():
    error = FerscopeError("x.parquet: either the file is corrupted or this is not a parquet file.")
    assert f"There is no threshold: {error}." == (
        "There is no threshold: x.parquet: either the file is corrupted or this is not a parquet file."
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
