import re
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.metadata import version

import numpy as np
import pytest

from core.checkpoints import load_checkpoint, save_card
from core.data import describe, read
from core.errors import CheckpointError
from core.evaluation import pr_curves, roc_curves
from core.robustness import CONDITIONS, Robustness, save_robustness
from dashboard.__main__ import main
from dashboard.compare import VIEWS
from dashboard.compare.stored_comparison import from_checkpoints
from dashboard.reports.comparison_report import SECTIONS, html

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
WILD = '</title><script>alert("1")</script> & $x$'


@pytest.fixture(scope="module")
def comparison(checkpoint_root):
    return from_checkpoints([], "test", checkpoint_root)[0]


@pytest.fixture(scope="module")
def written(comparison):
    return html(comparison, NOW)


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the networks that may be written to."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_file_stands_alone(written):
    assert "<script" not in written
    assert not re.search(r"(src|href)=\"(?!data:|#)", written)
    assert "@import" not in written
    assert "url(http" not in written
    assert len(written.encode()) < 1_000_000


def test_it_says_what_compare_says(written, comparison):
    said = text_of(written)
    for section in SECTIONS:
        assert f">{section}</h2>" in written
    assert "CNN, Residual CNN, Ensemble on PrivateTest, n = 36." in said
    assert str(comparison.summaries["tiny_cnn"].accuracy) in said
    assert "if both were equally good" in said
    assert "2025-01-02T01:04:05+00:00" in said
    assert version("torch") in said
    card = comparison.cards["tiny_cnn"]
    assert card.weights_sha256 in said
    assert card.hardware in said
    assert card.data.fingerprint[:16] in said
    assert "tiny_cnn --split test measures it" in said  # its robustness


def test_every_number_of_the_confusion_matrix_is_there(written, comparison):
    run = comparison.runs["tiny_cnn"]
    hits = int(((run.truth == 1) & (run.predicted == 1)).sum())
    matrix = written[written.index('aria-label="Confusion matrix of CNN"') :]
    assert f">{hits}<" in matrix[: matrix.index("</svg>")]


def test_progress_names_every_section_once(comparison):
    told = []
    html(comparison, NOW, lambda *what: told.append(what))
    assert [section for section, *_ in told] == list(SECTIONS)
    assert told[-1][1:] == (len(SECTIONS) - 1, len(SECTIONS))


def test_names_that_a_person_gave_are_escaped_everywhere(root):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    labels = replace(checkpoint.card.labels, name=WILD)
    data = replace(checkpoint.card.data, license=WILD)
    save_card(replace(checkpoint.card, title=WILD, data=data, hardware=WILD, labels=labels), checkpoint.path)
    page = html(from_checkpoints([], "test", root)[0], NOW)
    assert "<script" not in page
    assert "</title><" not in page.split("</title>", 1)[1]
    assert page.count("&lt;script&gt;") > 10
    assert "$x$" in page


def test_robustness_is_there_where_it_is_stored(root):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    right = {c: np.arange(36) >= 3 * c[1] for c in CONDITIONS}
    save_robustness(
        Robustness("tiny_cnn", "test", checkpoint.card.weights_sha256, right), checkpoint.robustness_path("test")
    )
    page = html(from_checkpoints([], "test", root)[0], NOW)
    said = text_of(page)
    assert 'aria-label="Accuracy by strength of each perturbation"' in page
    assert "0.250" in said  # a twelfth more is lost at each strength: 3/12 on average
    assert "Residual CNN has not been measured" in said
    checkpoint.robustness_path("test").write_bytes(b"damaged")
    said = text_of(html(from_checkpoints([], "test", root)[0], NOW))
    assert "robustness-test.parquet cannot be read as Parquet" in said


def section(page, title):
    """The HTML of one section."""
    return page.split(f">{title}</h2>")[1].split("<h2")[0]


def test_the_sections_stand_in_the_order_of_the_views():
    shared = ["Calibration", "Robustness", "Ranking", "Human doubt", "Slices"]
    for names in (VIEWS, SECTIONS):
        assert [name for name in names if name in shared] == shared


def test_ranking_has_the_areas_and_every_cost(written, comparison):
    of_ranking = section(written, "Ranking")
    said = text_of(of_ranking)
    for run in comparison.runs.values():
        assert str(roc_curves(run).macro.area) in said
        assert str(pr_curves(run).classes[1].area) in said
    for cost in ("parameters", "multiply-accumulates", "milliseconds"):
        assert f'aria-label="Accuracy against {cost}, with the Pareto line"' in of_ranking
    assert of_ranking.count("<svg") == 6


def test_own_data_without_a_table_is_one_sentence_and_the_copies_stay(written):
    for title in ("Human doubt", "Slices"):
        said = text_of(section(written, title))
        assert said.count("no table of image facts was made from this data set") == 1
        assert "python -m core data describe DATA --size-px 48 --channels 1" in said
    assert "<svg" not in section(written, "Human doubt")
    assert 'aria-label="Accuracy by copy in Training and network"' in section(written, "Slices")
    assert "copy in Training: yes 0 not defined" in text_of(section(written, "Slices"))


def test_a_table_without_votes_gives_slices_and_says_what_is_missing(comparison, facts_folder, image_folder):
    describe(read(image_folder)).save(facts_folder / "shapes_images.parquet")
    page = html(comparison, NOW)
    assert "carry no FER+ votes: no slices by agreement" in text_of(section(page, "Slices"))
    for column in ("brightness", "contrast", "sharpness"):
        assert f'aria-label="Accuracy by {column} and network"' in section(page, "Slices")
    assert "CNN: the images of shapes carry no FER+ votes." in text_of(section(page, "Human doubt"))


def test_networks_of_both_label_sets_stand_beside_the_annotators_and_in_slices(fer_networks):
    page = html(from_checkpoints([], "test", fer_networks)[0], NOW)
    doubt, slices = (section(page, title) for title in ("Human doubt", "Slices"))
    said = text_of(doubt)
    assert "of the 3,153 images with a majority" in said
    assert "another annotator does" in said
    assert re.search(r"FER\+ CNN 0\.\d+", said)
    assert 'aria-label="Labels of FER2013 by FER+ majority"' in doubt
    assert doubt.count("<svg") == 5
    said = text_of(slices)
    assert "FER+ CNN is left out: tiny_cnn predicts FER7" in said
    assert "CNN: brightness 14.3 to 106.6: accuracy" in said
    assert 'aria-label="Accuracy by agreement and network"' in slices
    assert "**" not in said
    assert len(page.encode()) < 1_000_000


def test_one_network_alone_has_a_report_without_tests(checkpoint_root):
    comparison, _ = from_checkpoints(["tiny_cnn"], "val", checkpoint_root)
    said = text_of(html(comparison, NOW))
    assert "A difference needs two networks" in said
    assert "CNN on PublicTest" in said
    assert "so its numbers flatter" in said


def test_a_network_without_answers_is_named_and_left_out(root):
    (root / "tiny_residual" / "predictions-test.parquet").unlink()
    comparison, problems = from_checkpoints([], "test", root)
    assert list(comparison.runs) == ["tiny_cnn"]
    assert problems == ["tiny_residual has no stored predictions for the test split"]
    (root / "tiny_cnn" / "predictions-test.parquet").unlink()
    with pytest.raises(CheckpointError, match="tiny_cnn has no stored predictions"):
        from_checkpoints([], "test", root)


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["dashboard", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_the_command_writes_the_file(checkpoint_root, tmp_path, monkeypatch, capsys):
    target = tmp_path / "out.html"
    assert command(monkeypatch, "report", "tiny_cnn", "--checkpoints", checkpoint_root, "--output", target) == 0
    assert "CNN on PrivateTest" in target.read_text(encoding="utf-8")
    assert "out.html: 0." in capsys.readouterr().out
    made = re.search(r"FERscope, (\S+)</p>", target.read_text(encoding="utf-8")).group(1)
    assert abs(datetime.fromisoformat(made) - datetime.now(UTC)) < timedelta(minutes=10)


def test_the_help_has_an_example(monkeypatch, capsys):
    assert command(monkeypatch, "report", "--help") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").replace("`", "").split())
    assert "Example: python -m dashboard report" in said


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (["report", "nobody"], "there is no network 'nobody'; installed: tiny_cnn, tiny_residual", 1),
        (["report", "--split", "train"], "a split is val or test", 2),
        (["report", "tiny_cnn", "--output", "/nowhere/at/all.html"], "cannot be written", 1),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(checkpoint_root, monkeypatch, capsys, arguments, sentence, status):
    assert command(monkeypatch, *arguments, "--checkpoints", checkpoint_root) == status
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert sentence in said
    assert "Traceback" not in said
