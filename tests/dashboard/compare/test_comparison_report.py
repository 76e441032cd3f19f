import json
import re
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib.metadata import version

import numpy as np
import pytest

from core.checkpoints import list_checkpoints, load_checkpoint, save_card
from core.data import describe, read
from core.evaluation import pr_curves, roc_curves
from core.robustness import CONDITIONS, Robustness, save_robustness
from dashboard.__main__ import main
from dashboard.compare.comparison import build_comparisons
from dashboard.compare.comparison_report import chapters, html
from dashboard.compare.panels import GROUPS
from dashboard.style import DARK

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
WILD = '</title><script>alert("1")</script> & $x$'


def comparisons_of(root, split="test", **options):
    return build_comparisons(list_checkpoints(root).checkpoints, split, **options)[0]


@pytest.fixture(scope="module")
def comparisons(checkpoint_root):
    return comparisons_of(checkpoint_root)


@pytest.fixture(scope="module")
def written(comparisons):
    return html(comparisons, NOW)


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the networks that may be written to."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def text_of(page):
    """The text of a page or of a part of it, without scripts."""
    without = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", without).split())


def chapter(page, title):
    """The HTML of one chapter."""
    return page.split(f">{title}</h2>")[1].split("<h2")[0]


def test_nothing_is_loaded_from_elsewhere(written):
    without = re.sub(r"<script.*?</script>", " ", written, flags=re.S)
    assert not re.search(r"(src|href)=\"(?!data:|#)", without)
    assert "@import" not in without
    assert "url(http" not in without


def test_the_report_has_the_numbers_of_the_page(written, comparisons):
    (comparison,) = comparisons
    text = text_of(written)
    for part in chapters(comparisons):
        assert f">{part.title}</h2>" in written
    assert "CNN, Residual CNN, Ensemble: shapes test, n = 36." in text
    assert f"{comparison.summaries['tiny_cnn'].accuracy.value:.3f}" in text_of(chapter(written, "Overview"))
    assert "if both were equally good" in text
    assert "January 2, 2025, 01:04 UTC" in text
    assert version("torch") in text
    card = comparison.cards["tiny_cnn"]
    assert card.weights_sha256 in text
    assert card.hardware in text
    assert card.data.fingerprint[:16] in text
    assert "python -m core robustness tiny_cnn --split test --data PATH" in text


def test_the_chapters_are_the_panels_in_their_order(comparisons):
    panels = [title for group in GROUPS.values() for title, panel in group.items() if panel.sections]
    titles = [part.title for part in chapters(comparisons)]
    assert titles[: len(panels)] == panels
    assert titles[len(panels) :] == ["Protocol", "Hardware", "Model cards", "Versions"]


def test_progress_names_every_chapter_once(comparisons):
    told = []
    html(comparisons, NOW, lambda *what: told.append(what))
    titles = [part.title for part in chapters(comparisons)]
    assert [title for title, *_ in told] == titles
    assert told[-1][1:] == (len(titles) - 1, len(titles))


def test_a_dark_page_makes_a_light_report(checkpoint_root):
    page = html(comparisons_of(checkpoint_root, inks=DARK), NOW)
    assert DARK.text not in page
    assert DARK.hues[0] not in page


def test_names_entered_by_users_are_escaped_everywhere(root, written):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    card = replace(
        checkpoint.card,
        title=WILD,
        hardware=WILD,
        data=replace(checkpoint.card.data, license=WILD),
        labels=replace(checkpoint.card.labels, name=WILD),
    )
    save_card(card, checkpoint.path)
    page = html(comparisons_of(root), NOW)
    assert page.count("<script") == written.count("<script")
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") > 10
    assert "$x$" in page


def test_robustness_is_in_the_report_where_it_is_stored(root):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    correct = {c: np.arange(36) >= 3 * c[1] for c in CONDITIONS}
    result = Robustness("tiny_cnn", "test", checkpoint.card.weights_sha256, correct)
    save_robustness(result, checkpoint.robustness_path("test"))
    page = html(comparisons_of(root), NOW)
    text = text_of(chapter(page, "Robustness"))
    assert 'aria-label="Accuracy by strength of each corruption and network"' in page
    assert "0.250" in text  # a twelfth more is lost at each strength: 3/12 on average
    assert "Residual CNN has not been measured" in text
    checkpoint.robustness_path("test").write_bytes(b"damaged")
    text = text_of(html(comparisons_of(root), NOW))
    assert "robustness-test.parquet cannot be read as Parquet" in text


def test_ranking_has_the_areas_and_every_cost(written, comparisons):
    of_ranking = chapter(written, "Ranking")
    text = text_of(of_ranking)
    for run in comparisons[0].all_runs.values():
        assert str(roc_curves(run).macro.area) in text
        assert str(pr_curves(run).classes[1].area) in text
    for cost in ("parameters", "multiply-accumulates", "milliseconds"):
        assert f'aria-label="Accuracy against {cost}, with the Pareto front"' in of_ranking
    assert of_ranking.count("<figure") == 6


def test_own_data_without_a_table_is_reported_in_one_sentence_and_copies_remain(written):
    for title in ("Annotator agreement", "Slices"):
        text = text_of(chapter(written, title))
        assert text.count("o table of image facts was computed from this data set") == 1
        assert "python -m core data describe DATA --size-px 48 --channels 1" in text
    assert "<figure" not in chapter(written, "Annotator agreement")
    assert 'aria-label="Accuracy by copy in train and network"' in chapter(written, "Slices")


def test_a_table_without_votes_gives_slices_and_names_what_is_missing(comparisons, facts_folder, image_folder):
    describe(read(image_folder)).save(facts_folder / "shapes_images.parquet")
    page = html(comparisons, NOW)
    assert "shapes has no FER+ votes" in text_of(chapter(page, "Slices"))
    for column in ("brightness", "contrast", "sharpness"):
        assert f'aria-label="Accuracy by {column} and network"' in chapter(page, "Slices")
    assert "shapes has no FER+ votes." in text_of(chapter(page, "Annotator agreement"))


def test_networks_with_other_classes_have_a_part_in_every_chapter(fer_networks):
    found = comparisons_of(fer_networks)
    page = html(found, NOW)
    for title in ("Overview", "Annotator agreement", "Slices", "Calibration"):
        for comparison in found:
            assert comparison.title.replace("+", "&#43;") in chapter(page, title) or comparison.title in chapter(
                page, title
            )
    text = text_of(chapter(page, "Annotator agreement"))
    # The labels of FER+ are the majority, so only the labels of FER2013 are compared with it.
    assert text.count("of the 3,153 images with a majority") == 1
    assert "CNN without contempt" in text_of(chapter(page, "Ensemble"))
    assert "brightness 14.3 to 106.6: accuracy" in text_of(chapter(page, "Slices"))
    assert "**" not in text


def test_what_was_chosen_on_an_imported_networks_test_images_is_not_stated(root, comparisons):
    assert "nothing was chosen on" in chapter(html(comparisons, NOW), "Protocol")
    path = root / "tiny_cnn" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chosen_epoch": 0}))
    found = comparisons_of(root)
    assert any(card.is_imported for card in found[0].cards.values())
    assert "nothing was chosen on" not in chapter(html(found, NOW), "Protocol")


def test_one_network_alone_has_a_report_without_tests(root):
    shutil.rmtree(root / "tiny_residual")
    text = text_of(html(comparisons_of(root, "val"), NOW))
    assert "A comparison needs at least two networks" in text
    assert "CNN: shapes val, n = 36." in text
    assert "so its scores are optimistic" in text


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["dashboard", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


def test_the_command_writes_the_file(checkpoint_root, tmp_path, monkeypatch, capsys):
    target = tmp_path / "out.html"
    assert command(monkeypatch, "report", "tiny_cnn", "--checkpoints", checkpoint_root, "--output", target) == 0
    page = target.read_text(encoding="utf-8")
    assert "CNN: shapes test, n = 36." in text_of(page)
    assert "out.html: " in capsys.readouterr().out
    made = re.search(r"FERscope, ([^<]+)</p>", page).group(1)
    made_at = datetime.strptime(made, "%B %d, %Y, %H:%M UTC").replace(tzinfo=UTC)
    assert abs(made_at - datetime.now(UTC)) < timedelta(minutes=10)


def test_the_help_has_an_example(monkeypatch, capsys):
    assert command(monkeypatch, "report", "--help") == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").replace("`", "").split())
    assert "Example: python -m dashboard report" in text


def test_a_network_without_predictions_is_named_and_without_any_there_is_no_report(root, tmp_path, monkeypatch, capsys):
    target = tmp_path / "out.html"
    (root / "tiny_residual" / "predictions-test.parquet").unlink()
    assert command(monkeypatch, "report", "--checkpoints", root, "--output", target) == 0
    assert "tiny_residual has no stored predictions for the test split" in " ".join(capsys.readouterr().err.split())
    (root / "tiny_cnn" / "predictions-test.parquet").unlink()
    target.unlink()
    assert command(monkeypatch, "report", "--checkpoints", root, "--output", target) == 1
    assert "tiny_cnn has no stored predictions" in " ".join(capsys.readouterr().err.split())
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (["report", "nobody"], "There is no network 'nobody'; installed: tiny_cnn, tiny_residual.", 1),
        (["report", "--split", "train"], "expected val or test", 2),
        (["report", "tiny_cnn", "--output", "/nowhere/at/all.html"], "cannot be written", 1),
    ],
)
def test_errors_of_the_user_are_reported_in_one_sentence(
    checkpoint_root, monkeypatch, capsys, arguments, sentence, status
):
    assert command(monkeypatch, *arguments, "--checkpoints", checkpoint_root) == status
    text = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert sentence in text
    assert "Traceback" not in text
