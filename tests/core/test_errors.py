import ast
import pickle
from pathlib import Path

import pytest

from core import errors
from core.errors import FIRST_WORD, FerscopeError, SplitError

ROOT = Path(__file__).resolve().parents[2]
# Names of columns, parameters and packages with which messages may begin, besides those with "_" or ".".
NAMES = {"emotion", "pixel", "label", "split", "channels", "scale", "teachers", "target", "t-SNE", "onnxruntime"}


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


def test_an_error_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(SplitError("x has no splits", "choose some")))
    assert (error.fact, str(error)) == ("x has no splits", "x has no splits; choose some")


def test_every_message_begins_with_a_word_that_is_capitalized_or_with_a_name():
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, FerscopeError)}
    found = []
    for path in [p for folder in ("core", "dashboard", "pages") for p in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds and node.args:
                first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
                text = first.value if isinstance(first, ast.Constant) else ""
                word = text.partition(" ")[0]
                if text[:1].islower() and not FIRST_WORD.match(text) and not (NAMES | set("_.")) & {word, *word}:
                    found.append(f"{path.name}: {text}")
    assert not found
