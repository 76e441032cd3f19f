from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.errors import EvaluationError
from core.evaluation import EvaluationRun
from core.labels import FER7, FERPLUS8, LabelSet

TWO = LabelSet("two", ("no", "yes"))


def load(path: Path, labels: LabelSet = FER7) -> EvaluationRun:
    return EvaluationRun.load(path, model_id="cnn", split="test", labels=labels)


def test_probabilities_are_the_softmax_of_logits_over_temperature() -> None:
    logits = np.array([[0, 2 * np.log(3)]])
    run = EvaluationRun("m", "test", TWO, np.array([5]), np.array([1]), logits, temperature=2.0)
    np.testing.assert_allclose(run.probabilities, [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(run.uncalibrated.confidence, [0.9], rtol=1e-6)
    np.testing.assert_allclose(run.true_probability, [0.75], rtol=1e-6)
    assert run.predicted.tolist() == [1]
    assert run.correct.tolist() == [True]
    np.testing.assert_allclose(run.confidence, [0.75], rtol=1e-6)


def test_arrays_are_converted_and_read_only(make_run) -> None:
    given_ids = np.arange(400, dtype=np.int32)
    run = make_run(image_ids=given_ids)
    assert (run.image_ids.dtype, run.truth.dtype, run.logits.dtype) == (np.int64, np.int64, np.float32)
    for array in (run.image_ids, run.truth, run.logits, run.copy_in_train, run.probabilities, run.predicted):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    given_ids[0] = 7  # the array of the caller stays writable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": np.zeros((400, 8))}, r"logits must have shape \(400, 7\).*FER7.*\(400, 8\)"),
        ({"truth": np.zeros(399, int)}, r"truth must have shape \(400,\)"),
        ({"truth": np.full(400, 7)}, r"truth must lie in 0\.\.6.*7 in row 0"),
        ({"truth": np.zeros(400)}, "truth must be whole numbers"),
        ({"image_ids": np.r_[np.arange(399), 17]}, "every image must appear once, got image 17 in 2 rows"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"temperature": float("nan")}, "temperature must be positive"),
        ({"copy_in_train": np.zeros(400)}, "copy_in_train must be bool"),
        ({"copy_in_train": np.zeros(3, bool)}, r"copy_in_train must be bool with shape \(400,\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_the_name_of_the_run(make_run, change, message) -> None:
    with pytest.raises(EvaluationError, match=f"network_0 on test: .*{message}"):
        make_run(**change)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_logit_that_is_not_finite_is_named_by_row_and_image(make_run, bad) -> None:
    logits = make_run().logits.astype(np.float64)
    logits[17, 3] = bad
    with pytest.raises(EvaluationError, match=r"row 17 \(image 1017\) must hold finite logits"):
        make_run(logits=logits)


def test_pairing_reorders_the_other_run(make_run) -> None:
    first, second = make_run(seed=0), make_run(seed=1)
    shuffled = second.select(np.random.default_rng(0).permutation(len(second)))
    a, b = first.paired_with(shuffled)
    assert a is first
    np.testing.assert_array_equal(b.image_ids, first.image_ids)
    np.testing.assert_array_equal(b.logits, second.logits)
    np.testing.assert_array_equal(b.copy_in_train, second.copy_in_train)


def test_pairing_refuses_other_images_classes_splits_and_labels_by_name(make_run) -> None:
    first, second = make_run(seed=0), make_run(seed=1)
    with pytest.raises(
        EvaluationError, match=r"network_0 and network_1 were evaluated on different images: 400 .* 399 .* 399 in"
    ):
        first.paired_with(second.select(np.arange(399)))
    with pytest.raises(EvaluationError, match=r"network_0 predicts FER7 .* network_1 FERPLUS8"):
        first.paired_with(make_run(seed=1, labels=FERPLUS8))
    with pytest.raises(EvaluationError, match="different splits, test and val"):
        first.paired_with(replace(second, split="val"))
    other_truth = second.truth.copy()
    other_truth[3] = (other_truth[3] + 1) % 7
    with pytest.raises(EvaluationError, match=r"network_0 and network_1 .* different labels: image 1003 is"):
        first.paired_with(replace(second, truth=other_truth))


def test_label_sets_with_other_names_but_the_same_classes_can_be_paired(make_run) -> None:
    same = make_run(seed=1, labels=LabelSet("mine", FER7.classes))
    assert make_run().paired_with(same)[1] is same


def test_rows_are_selected_by_mask_position_or_image(make_run) -> None:
    run = make_run(temperature=1.7)
    by_number, by_mask = run.select(np.array([2, 5])), run.select(np.isin(np.arange(400), [2, 5]))
    by_image = run.on_images(np.array([1002, 1005]))
    for chosen in (by_number, by_mask, by_image):
        np.testing.assert_array_equal(chosen.logits, run.logits[[2, 5]])
        assert (chosen.image_ids.tolist(), chosen.temperature) == ([1002, 1005], 1.7)
    with pytest.raises(EvaluationError, match=r"mask must have shape \(400,\)"):
        run.select(np.ones(3, bool))
    with pytest.raises(EvaluationError, match="none for image 9999"):
        run.on_images(np.array([1002, 9999]))


def test_mapping_to_fer2013_drops_contempt_and_renormalizes(make_run) -> None:
    run = make_run(labels=FERPLUS8, temperature=1.3)
    mapped = run.mapped_to(FER7)
    contempt = FERPLUS8.index("contempt")
    kept = run.truth != contempt
    assert 0 < kept.sum() < len(run)
    np.testing.assert_array_equal(mapped.image_ids, run.image_ids[kept])
    order = [FERPLUS8.index(c) for c in FER7.classes]
    expected = run.probabilities[kept][:, order]
    np.testing.assert_allclose(mapped.probabilities, expected / expected.sum(axis=1, keepdims=True), rtol=1e-6)
    for row in range(20):
        assert FER7.classes[mapped.truth[row]] == FERPLUS8.classes[run.truth[kept][row]]


def test_mapping_with_given_labels_keeps_every_image(make_run) -> None:
    fer = make_run()
    ferplus = make_run(labels=FERPLUS8, seed=1).mapped_to(FER7, truth=fer.truth)
    assert len(ferplus) == len(fer)
    assert fer.paired_with(ferplus)[1] is ferplus


def test_a_run_cannot_be_mapped_to_a_class_it_does_not_predict(make_run) -> None:
    with pytest.raises(EvaluationError, match="FERPLUS8 needs a network with all its classes, got no 'contempt'"):
        make_run().mapped_to(FERPLUS8)


@pytest.mark.parametrize("copies", [True, False])
def test_a_saved_run_is_loaded_unchanged(make_run, tmp_path, copies) -> None:
    run = make_run(temperature=1.4) if copies else make_run(temperature=1.4, copy_in_train=None)
    path = tmp_path / "predictions-test.parquet"
    run.save(path)
    back = EvaluationRun.load(path, model_id=run.model_id, split="test", labels=FER7, temperature=1.4)
    for name in ("image_ids", "truth", "logits"):
        np.testing.assert_array_equal(getattr(back, name), getattr(run, name))
        assert getattr(back, name).dtype == getattr(run, name).dtype
    if copies:
        np.testing.assert_array_equal(back.copy_in_train, run.copy_in_train)
    else:
        assert back.copy_in_train is None
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_saved_run_can_be_read_with_pandas(make_run, tmp_path) -> None:
    make_run().save(tmp_path / "run.parquet")
    table = pd.read_parquet(tmp_path / "run.parquet")
    assert list(table.columns) == ["image_id", "truth", "copy_in_train", *(f"logit_{c}" for c in FER7.classes)]
    assert table["logit_happy"].dtype == np.float32


def test_classes_are_read_by_name_not_by_position(make_run, tmp_path) -> None:
    run = make_run()
    run.save(tmp_path / "run.parquet")
    table = pd.read_parquet(tmp_path / "run.parquet")
    table[table.columns[::-1]].to_parquet(tmp_path / "reversed.parquet")
    np.testing.assert_array_equal(load(tmp_path / "reversed.parquet").logits, run.logits)


def test_a_run_without_images_can_be_saved(make_run, tmp_path) -> None:
    make_run().select(np.zeros(400, bool)).save(tmp_path / "run.parquet")
    assert len(load(tmp_path / "run.parquet")) == 0


def without_fear(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="logit_fear")


def with_nan(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[12, "logit_fear"] = np.nan
    return table


def with_contempt(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(logit_contempt=0.0)


def with_words(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(logit_fear="high")


def with_half_known_copies(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(copy_in_train=[None, True] * 200)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_fear, "lacks the column 'logit_fear'"),
        (with_nan, r"(row 12 .*must hold finite logits|row 12 of the column 'logit_fear' is empty)"),
        (with_contempt, "has the column 'logit_contempt', a class that FER7 lacks"),
        (with_words, "column 'logit_fear' must hold numbers"),
        (with_half_known_copies, "row 0 of the column 'copy_in_train' is empty"),
    ],
)
def test_a_damaged_file_is_refused_by_name(make_run, tmp_path, damage, message) -> None:
    make_run().save(tmp_path / "run.parquet")
    damage(pd.read_parquet(tmp_path / "run.parquet")).to_parquet(tmp_path / "damaged.parquet")
    with pytest.raises(EvaluationError, match=rf"damaged\.parquet.*{message}"):
        load(tmp_path / "damaged.parquet")


def test_a_truncated_or_missing_file_is_refused_by_name(make_run, tmp_path) -> None:
    make_run().save(tmp_path / "run.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "run.parquet").read_bytes()[:-50])
    for name in ("cut.parquet", "missing.parquet"):
        with pytest.raises(EvaluationError, match=f"{name} cannot be read"):
            load(tmp_path / name)


@given(
    hnp.arrays(np.float32, (4, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32)),
    st.floats(0.05, 20),
)
@settings(max_examples=60, deadline=None)
def test_any_finite_logits_give_probabilities(logits, temperature) -> None:
    labels = LabelSet("letters", ("a", "b", "c"))
    run = EvaluationRun("m", "test", labels, np.arange(4), np.zeros(4, int), logits, temperature=temperature)
    np.testing.assert_allclose(run.probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(run.confidence, run.probabilities.max(axis=1))
    np.testing.assert_array_equal(run.uncalibrated.predicted, run.predicted)


def test_logits_of_mirror_images_are_stored_and_checked(make_run, tmp_path) -> None:
    run = make_run()
    run = replace(run, mirrored=run.logits[:, ::-1])
    run.save(tmp_path / "run.parquet")
    np.testing.assert_array_equal(load(tmp_path / "run.parquet").mirrored, run.mirrored)
    with pytest.raises(EvaluationError, match=r"mirrored must have shape \(400, 7\)"):
        make_run(mirrored=np.zeros((400, 3)))


def test_logits_of_mirror_images_follow_classes_and_images(make_run) -> None:
    run = make_run(labels=FERPLUS8)
    run = replace(run, mirrored=run.logits)
    mapped = run.mapped_to(FER7)
    np.testing.assert_array_equal(mapped.mirrored, mapped.logits)
