import math
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import RobustnessError
from core.evaluation import mirror_consistency
from core.robustness import CLEAN, CONDITIONS, Robustness, load_robustness, save_robustness


def measured(checkpoint, split="test", drop=0):
    """All images are correct, except the first ``drop`` of them under blur and noise."""
    n = checkpoint.card.metrics[split].n
    correct = {condition: np.ones(n, bool) for condition in CONDITIONS}
    for condition in correct:
        if condition[0] in ("blur", "noise"):
            correct[condition][:drop] = False
    return Robustness(checkpoint.card.run_id, split, checkpoint.card.weights_sha256, correct)


def four_images(clean, **corrupted):
    """Four images, with the same result at all strengths of a corruption; that of the clean images by default."""
    return Robustness("net", "test", "abc", {c: np.array(corrupted.get(c[0], clean), bool) for c in CONDITIONS})


def test_the_mean_relative_drop_matches_a_calculation_by_hand():
    # Clean 3/4, blur 2/4 and JPEG 0/4 at every strength, the seven others like clean: (1/3 + 1) / 9.
    found = four_images([1, 1, 1, 0], blur=[1, 1, 0, 0], jpeg=[0, 0, 0, 0])
    assert found.clean.value == 0.75
    assert found.relative_drop("blur").value == pytest.approx(1 / 3)
    assert found.relative_drop("jpeg").value == 1
    assert found.relative_drop("noise").value == 0
    assert found.relative_drop().value == pytest.approx(4 / 27)


def test_a_corruption_that_helps_has_a_negative_drop():
    assert four_images([1, 0, 0, 0], contrast=[1, 1, 0, 0]).relative_drop("contrast").value == -1


def test_the_interval_matches_a_bootstrap_of_the_images():
    random = np.random.default_rng(0)
    clean = random.random(400) < 0.7
    correct = {c: clean & (random.random(400) < 0.8) if c != CLEAN else clean for c in CONDITIONS}
    found = Robustness("net", "test", "abc", correct)
    drop = found.relative_drop()
    survived = np.mean([correct[c] for c in CONDITIONS[1:]], axis=0)
    rows = random.integers(0, 400, (2000, 400))
    resampled = 1 - survived[rows].mean(axis=1) / clean[rows].mean(axis=1)
    assert (drop.low, drop.high) == pytest.approx(tuple(np.percentile(resampled, [2.5, 97.5])), abs=0.003)
    assert drop.low < drop.value < drop.high


def test_a_network_without_correct_predictions_has_no_drop():
    drop = four_images([0, 0, 0, 0], blur=[1, 0, 0, 0]).relative_drop()
    assert not drop.defined
    assert str(drop) == "not defined"


def test_a_missing_or_an_unknown_condition_is_refused():
    correct = dict(four_images([1, 0, 1, 0]).correct)
    with pytest.raises(RobustnessError, match="has the unknown fog 1"):
        Robustness("net", "test", "abc", correct | {("fog", 1): correct[CLEAN]})
    with pytest.raises(RobustnessError, match=r"blur 2: expected bool \(4,\)"):
        Robustness("net", "test", "abc", correct | {("blur", 2): correct[CLEAN][:3]})
    del correct["shift", 4]
    with pytest.raises(RobustnessError, match="lacks shift 4"):
        Robustness("net", "test", "abc", correct)


@pytest.fixture
def stored(checkpoint, tmp_path):
    """A checkpoint folder with a robustness file that a test may damage."""
    here = replace(checkpoint, path=tmp_path)
    save_robustness(measured(here, drop=9), here.robustness_path("test"))
    return here


def test_a_saved_file_is_loaded_unchanged(stored):
    found = load_robustness(stored, "test")
    expected = measured(stored, drop=9)
    assert all(np.array_equal(found.correct[c], expected.correct[c]) for c in CONDITIONS)
    table = found.table()
    assert len(table) == 46
    assert table["correct"].tolist()[:2] == [36, 27]
    assert found.relative_drop().value == pytest.approx(2 / 9 * 0.25)
    assert [p.name for p in stored.path.iterdir()] == ["robustness-test.parquet"]


def test_mirror_consistency_comes_from_the_stored_predictions(stored, checkpoint):
    assert load_robustness(stored, "test").mirror_consistency is None
    shutil.copy(checkpoint.predictions_path("test"), stored.predictions_path("test"))
    expected = mirror_consistency(checkpoint.evaluation("test"))
    assert load_robustness(stored, "test").mirror_consistency == expected
    assert expected.n == 36


def test_a_network_that_was_not_measured_has_no_robustness(stored):
    assert load_robustness(stored, "val") is None


def doubled(table):
    return pd.concat([table, table.iloc[[4]]])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.drop(columns="right"), "lacks the column 'right'"),
        (lambda t: t.assign(mood=1), "unknown column 'mood'"),
        (lambda t: t.assign(accuracy=t["accuracy"].where(t.index != 3)), "row 3 of the column 'accuracy' is empty"),
        (lambda t: t.assign(n=t["n"].astype(str)), "column 'n' must hold numbers"),
        (lambda t: t.assign(correct=t["correct"] + 1), "states 37 correct"),
        (lambda t: t.assign(accuracy=0.5), r"\(0.500\) for the unchanged images, but its bits give 36 of 36"),
        (lambda t: t.assign(n=t["n"].where(t.index != 3, 35)), "has 35 images for blur 3"),
        (lambda t: t.assign(right=[b"x"] * len(t)), r"one bit per image \(36\)"),
        (lambda t: t.assign(right=1.0), "one bit per image"),
        (lambda t: t.assign(perturbation=t["perturbation"].replace("jpeg", "fog")), "has the unknown fog 1"),
        (lambda t: t.assign(value=t["value"] * 2), "measured with the setting 2 for blur 1, which is now 1"),
        (lambda t: t.assign(seed=1), "has the seed 1, expected"),
        (
            lambda t: t.assign(precision=[*t["precision"][1:], "bfloat16"]),
            "has the precision bfloat16, expected float32",
        ),
        (lambda t: t.drop(columns="precision"), "lacks the column 'precision'"),
        (lambda t: t.assign(weights_sha256="0" * 64), "has the weights_sha256 000"),
        (lambda t: t.assign(run="other"), "has the run other, expected tiny_cnn"),
        (lambda t: t.iloc[:-1], "lacks mouth 5"),
        (doubled, "blur 4 twice"),
        (lambda t: t.iloc[:0], "lacks the unchanged images"),
    ],
)
def test_a_damaged_file_is_refused_with_the_problem_and_the_command(stored, damage, message):
    path = stored.robustness_path("test")
    damage(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(RobustnessError, match=message) as raised:
        load_robustness(stored, "test")
    assert "tiny_cnn" in str(raised.value)
    assert "measure again with: python -m core robustness tiny_cnn --split test --data PATH" in str(raised.value)


def test_a_file_that_is_not_parquet_is_refused(stored):
    stored.robustness_path("test").write_bytes(b"text")
    with pytest.raises(RobustnessError, match="cannot be read as Parquet"):
        load_robustness(stored, "test")


def test_another_number_of_images_than_the_card_is_refused(stored, checkpoint):
    fewer = {c: np.ones(30, bool) for c in CONDITIONS}
    save_robustness(
        Robustness("tiny_cnn", "test", checkpoint.card.weights_sha256, fewer), stored.robustness_path("test")
    )
    with pytest.raises(RobustnessError, match="has 30 images, but the card's test split has 36"):
        load_robustness(stored, "test")


def test_the_drop_of_a_million_images_has_an_interval():
    correct = {c: np.arange(1_000_000) % 10 > c[1] for c in CONDITIONS}
    drop = Robustness("net", "test", "abc", correct).relative_drop()
    assert drop.value == pytest.approx(3 / 9)
    assert not math.isnan(drop.low)
