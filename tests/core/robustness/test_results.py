import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import RobustnessError
from core.robustness import CLEAN, CONDITIONS, Robustness, load_robustness, save_robustness


def measured(checkpoint, split="test", drop=0):
    """All images right as they are, and the first ``drop`` of them wrong under blur and noise."""
    n = checkpoint.card.metrics[split].n
    right = {condition: np.ones(n, bool) for condition in CONDITIONS}
    for condition in right:
        if condition[0] in ("blur", "noise"):
            right[condition][:drop] = False
    return Robustness(checkpoint.card.run_id, split, checkpoint.card.weights_sha256, right)


def answers(clean, **perturbed):
    """Four images; the same answers at all strengths of a perturbation, the clean ones where none are given."""
    right = {c: np.array(perturbed.get(c[0], clean), bool) for c in CONDITIONS}
    return Robustness("net", "test", "abc", right)


def test_the_mean_relative_drop_of_a_hand_computed_case():
    # Clean 3/4. Blur 2/4 and JPEG 0/4 at every strength, the seven others as clean: (1/3 + 1) / 9.
    found = answers([1, 1, 1, 0], blur=[1, 1, 0, 0], jpeg=[0, 0, 0, 0])
    assert found.clean.value == 0.75
    assert found.relative_drop("blur").value == pytest.approx(1 / 3)
    assert found.relative_drop("jpeg").value == 1
    assert found.relative_drop("noise").value == 0
    assert found.relative_drop().value == pytest.approx(4 / 27)


def test_a_perturbation_that_helps_is_a_negative_drop():
    assert answers([1, 0, 0, 0], contrast=[1, 1, 0, 0]).relative_drop("contrast").value == -1


def test_the_interval_is_that_of_a_bootstrap_over_images():
    random = np.random.default_rng(0)
    clean = random.random(400) < 0.7
    right = {c: clean & (random.random(400) < 0.8) if c != CLEAN else clean for c in CONDITIONS}
    found = Robustness("net", "test", "abc", right)
    drop = found.relative_drop()
    kept = np.mean([right[c] for c in CONDITIONS[1:]], axis=0)
    rows = random.integers(0, 400, (2000, 400))
    plain = 1 - kept[rows].mean(axis=1) / clean[rows].mean(axis=1)
    assert (drop.low, drop.high) == pytest.approx(tuple(np.percentile(plain, [2.5, 97.5])), abs=0.003)
    assert drop.low < drop.value < drop.high


def test_a_network_that_gets_nothing_right_has_no_drop():
    drop = answers([0, 0, 0, 0], blur=[1, 0, 0, 0]).relative_drop()
    assert not drop.defined
    assert str(drop) == "not defined"


def test_a_missing_or_an_unknown_condition_is_refused():
    right = dict(answers([1, 0, 1, 0]).right)
    with pytest.raises(RobustnessError, match="fog 1, which is not known"):
        Robustness("net", "test", "abc", right | {("fog", 1): right[CLEAN]})
    with pytest.raises(RobustnessError, match=r"blur 2: expected bool \(4,\)"):
        Robustness("net", "test", "abc", right | {("blur", 2): right[CLEAN][:3]})
    del right["shift", 4]
    with pytest.raises(RobustnessError, match="lacks shift 4"):
        Robustness("net", "test", "abc", right)


@pytest.fixture
def stored(checkpoint, tmp_path):
    """A checkpoint's folder with its robustness, to be damaged."""
    here = replace(checkpoint, path=tmp_path)
    save_robustness(measured(here, drop=9), here.robustness_path("test"))
    return here


def test_what_was_saved_comes_back(stored):
    found = load_robustness(stored, "test")
    expected = measured(stored, drop=9)
    assert all(np.array_equal(found.right[c], expected.right[c]) for c in CONDITIONS)
    table = found.table()
    assert len(table) == 46
    assert table["correct"].tolist()[:2] == [36, 27]
    assert found.relative_drop().value == pytest.approx(2 / 9 * 0.25)
    assert [p.name for p in stored.path.iterdir()] == ["robustness-test.parquet"]


def test_a_network_that_was_not_measured_has_none(stored):
    assert load_robustness(stored, "val") is None


def doubled(table):
    return pd.concat([table, table.iloc[[4]]])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda t: t.drop(columns="right"), "lacks the column 'right'"),
        (lambda t: t.assign(mood=1), "column 'mood', which is not known"),
        (lambda t: t.assign(accuracy=t["accuracy"].where(t.index != 3)), "row 3 of the column 'accuracy' is empty"),
        (lambda t: t.assign(n=t["n"].astype(str)), "column 'n' must hold numbers"),
        (lambda t: t.assign(correct=t["correct"] + 1), "says 37 correct"),
        (lambda t: t.assign(accuracy=0.5), r"\(0.500\) for the images as they are, but its answers give 36 of 36"),
        (lambda t: t.assign(n=t["n"].where(t.index != 3, 35)), "counts 35 images for blur 3"),
        (lambda t: t.assign(right=[b"x"] * len(t)), r"one bit an image \(36\)"),
        (lambda t: t.assign(right=1.0), "one bit an image"),
        (lambda t: t.assign(perturbation=t["perturbation"].replace("jpeg", "fog")), "fog 1, which is not known"),
        (lambda t: t.assign(value=t["value"] * 2), "measured with 2 for blur 1, which is 1 now"),
        (lambda t: t.assign(seed=1), "has the seed 1, expected"),
        (lambda t: t.assign(weights_sha256="0" * 64), "has the weights_sha256 000"),
        (lambda t: t.assign(run="other"), "has the run other, expected tiny_cnn"),
        (lambda t: t.iloc[:-1], "lacks mouth 5"),
        (doubled, "blur 4 twice"),
        (lambda t: t.iloc[:0], "lacks the images as they are"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong_and_what_to_do(stored, damage, sentence):
    path = stored.robustness_path("test")
    damage(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(RobustnessError, match=sentence) as raised:
        load_robustness(stored, "test")
    assert "tiny_cnn" in str(raised.value)
    assert "measure again with: python -m core robustness tiny_cnn --split test" in str(raised.value)


def test_a_file_that_is_no_parquet_is_a_sentence(stored):
    stored.robustness_path("test").write_bytes(b"not a table")
    with pytest.raises(RobustnessError, match="cannot be read as Parquet"):
        load_robustness(stored, "test")


def test_a_foreign_count_of_images_is_refused(stored, checkpoint):
    fewer = {c: np.ones(30, bool) for c in CONDITIONS}
    save_robustness(
        Robustness("tiny_cnn", "test", checkpoint.card.weights_sha256, fewer), stored.robustness_path("test")
    )
    with pytest.raises(RobustnessError, match="is over 30 images, but the card's test split has 36"):
        load_robustness(stored, "test")


def test_the_drop_of_a_million_images_is_quick_enough_to_ask_for():
    right = {c: np.arange(1_000_000) % 10 > c[1] for c in CONDITIONS}
    drop = Robustness("net", "test", "abc", right).relative_drop()
    assert drop.value == pytest.approx(3 / 9)
    assert not math.isnan(drop.low)
