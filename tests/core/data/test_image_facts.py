import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.checkpoints import list_checkpoints
from core.data import ImageFacts, Samples, describe, facts_for, ferplus_majority, read
from core.data.image_facts import FOLDER, table_path
from core.errors import DataError
from core.labels import AFFECTNET8, FER7, FERPLUS8, LabelSet

SHIPPED = FOLDER / "fer2013_images.parquet"


def samples_of(images: np.ndarray, **fields: object) -> Samples:
    n = len(images)
    values = {
        "name": "faces",
        "labels": FER7,
        "images": images,
        "truth": np.arange(n) % 7,
        "split": np.array(["train", "val", "test"])[np.arange(n) % 3],
        "ids": np.arange(n),
    }
    return Samples(**(values | fields))


def test_statistics_counted_by_hand() -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    images[0] = 200  # blank
    images[1, :, ::2] = 100  # stripes: mean 50, deviation 50, Laplacian -200 and +200
    images[2, 4, 4] = 64  # a dot: mean 1; Laplacian -256 once, +64 four times
    images[3] = images[2]
    facts = describe(samples_of(images))
    np.testing.assert_allclose(facts.brightness, [200, 50, 1, 1])
    np.testing.assert_allclose(facts.contrast, [0, 50, 7.9, 7.9], atol=1e-5)  # sqrt(64 - 1), to a tenth
    dot = ((256**2 + 4 * 64**2) / 64).__round__(-1)
    np.testing.assert_allclose(facts.sharpness, [0, 200**2, dot, dot])
    assert facts.blank.tolist() == [True, False, False, False]
    assert facts.copy_group.tolist() == [-1, -1, 0, 0]
    assert facts.copy_in_train.tolist() == [False, False, True, False]  # the image of test, not that of train
    assert facts.votes is None


def test_blur_lowers_sharpness_and_color_is_read_as_gray() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(noise).resize((4, 4)).resize((16, 16)))
    gray = describe(samples_of(np.stack([noise, soft])))
    assert gray.sharpness[1] < gray.sharpness[0] / 4
    color = describe(samples_of(np.repeat(np.stack([noise, soft])[..., None], 3, axis=3)))
    np.testing.assert_array_equal(color.sharpness, gray.sharpness)
    np.testing.assert_array_equal(color.brightness, gray.brightness)


def test_a_saved_table_is_loaded_unchanged(tmp_path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (30, 48, 48), dtype=np.uint8)
    images[20] = images[3]
    order = random.permutation(30) * 2  # rows may be missing and out of order
    facts = describe(samples_of(images, ids=order, votes=random.integers(0, 4, (30, 10)).astype(np.int16)))
    assert (np.diff(facts.ids) > 0).all()
    path = tmp_path / "faces_images.parquet"
    facts.save(path)
    back = ImageFacts.load(path)
    assert (back.name, back.labels, back.fingerprints) == (facts.name, FER7, facts.fingerprints)
    for name in ("ids", "split", "truth", "brightness", "contrast", "sharpness", "blank", "copy_group", "votes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(facts, name), err_msg=name)
    assert facts_for(samples_of(images, ids=order).fingerprint(), tmp_path).ids.tolist() == facts.ids.tolist()


def test_rows_are_read_by_their_number() -> None:
    facts = describe(samples_of(np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)))
    some = facts.at(np.array([2, 5, 8]))
    np.testing.assert_array_equal(some.brightness, facts.brightness[[2, 5, 8]])
    assert len(facts.at(np.array([], int))) == 0
    for missing in ([2, 99], [-1, 3]):
        with pytest.raises(DataError, match=f"faces has no image {next(i for i in missing if i not in range(9))}"):
            facts.at(np.array(missing))


def test_arrays_cannot_be_written_and_those_given_still_can() -> None:
    samples = samples_of(np.zeros((3, 8, 8), np.uint8))
    facts = describe(samples)
    with pytest.raises(ValueError, match="read-only"):
        facts.brightness[0] = 1
    samples.ids[0] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"brightness": np.zeros(2)}, "brightness must have 3 rows like ids, got 2"),
        ({"ids": np.array([0, 2, 1])}, "row numbers must ascend"),
        ({"split": np.array(["train", "val", "dev"])}, "splits must be train, val, test, got dev"),
        ({"truth": np.array([0, 1, 7])}, r"labels must lie in 0\.\.6 for FER7"),
        ({"sharpness": np.array([1, np.nan, 2])}, "sharpness must be a number from 0"),
        ({"contrast": np.array([1, -1, 2])}, "contrast must be a number from 0"),
        ({"votes": np.zeros((3, 8))}, r"votes must have shape \(3, 10\), got \(3, 8\)"),
    ],
)
def test_facts_that_do_not_fit_together_are_refused(change, message) -> None:
    facts = describe(samples_of(np.zeros((3, 8, 8), np.uint8)))
    with pytest.raises(DataError, match=message):
        replace(facts, **change)


def test_damaged_tables_are_refused_by_name(tmp_path) -> None:
    path = tmp_path / "faces_images.parquet"
    describe(samples_of(np.zeros((3, 8, 8), np.uint8))).save(path)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns("sharpness"), path)
    with pytest.raises(DataError, match=r"faces_images\.parquet lacks the column 'sharpness'; write it again with"):
        ImageFacts.load(path)
    pq.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(DataError, match="does not state its data set"):
        ImageFacts.load(path)
    pq.write_table(table.replace_schema_metadata({b"ferscope": json.dumps({"name": "x"})}), path)
    with pytest.raises(DataError, match=r"faces_images\.parquet: 'fingerprints'"):
        ImageFacts.load(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"faces_images\.parquet cannot be read"):
        ImageFacts.load(path)


def test_another_data_set_has_no_table(tmp_path) -> None:
    faces = describe(samples_of(np.zeros((3, 8, 8), np.uint8)))
    with pytest.raises(DataError, match="available: none"):
        facts_for("0" * 64, tmp_path)
    faces.save(table_path(faces, tmp_path))
    with pytest.raises(DataError, match=r"no table .* \(fingerprint 000000000000…\); available: faces"):
        facts_for("0" * 64, tmp_path)
    (tmp_path / "broken_images.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"available: faces; broken_images.parquet cannot be read"):
        facts_for("0" * 64, tmp_path)
    assert len(facts_for(faces.fingerprints[0], tmp_path)) == 3
    # Another data set of the same name does not overwrite it; the same one does.
    assert table_path(faces, tmp_path).name == "faces_images.parquet"
    other = describe(samples_of(np.ones((3, 8, 8), np.uint8)))
    assert table_path(other, tmp_path).name == f"faces_{other.fingerprints[0][:12]}_images.parquet"
    # A damaged table is written again, as the message about it advises.
    (tmp_path / "faces_images.parquet").write_bytes(b"PAR1")
    assert table_path(faces, tmp_path).name == "faces_images.parquet"


def test_facts_of_data_with_votes_have_the_fingerprints_of_the_majority(official_csv, write_votes, faces) -> None:
    from core.data import with_ferplus_labels

    write_votes(faces.usages, [[10, *[0] * 9] if i % 2 else [0] * 10 for i in range(9)])
    samples = read(official_csv)
    facts = describe(samples)
    majority = with_ferplus_labels(samples)
    in_other_order = majority.ordered_like(AFFECTNET8)
    assert facts.fingerprints == tuple(of.fingerprint() for of in (samples, majority, in_other_order))
    assert facts.votes[1].tolist() == [10, *[0] * 9]


def test_facts_of_an_alphabetical_folder_have_the_fingerprint_of_the_known_order() -> None:
    alphabetical = LabelSet("custom", tuple(sorted(FER7.classes)))
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (7, 8, 8), np.uint8)
    samples = Samples("faces", alphabetical, images, np.arange(7), np.array(["train"] * 7), np.arange(7))
    ordered = samples.ordered_like(FER7)
    assert [FER7.classes[t] for t in ordered.truth] == sorted(FER7.classes)
    assert describe(samples).fingerprints == (samples.fingerprint(), ordered.fingerprint())
    with pytest.raises(DataError, match=r"expected the classes .*contempt.*, got angry"):
        samples.ordered_like(FERPLUS8)


def test_the_shipped_table_holds_the_known_facts_and_no_pixels() -> None:
    assert SHIPPED.stat().st_size < 1_500_000
    facts = ImageFacts.load(SHIPPED)
    assert facts.labels == FER7
    splits = {s: facts.split == s for s in ("train", "val", "test")}
    assert [int(rows.sum()) for rows in splits.values()] == [28_709, 3_589, 3_589]
    assert facts.ids.tolist() == list(range(35_887))
    assert int(facts.blank.sum()) == 12
    assert [int(facts.copy_in_train[rows].sum()) for rows in splits.values()] == [0, 280, 288]
    groups, sizes = np.unique(facts.copy_group[facts.copy_group >= 0], return_counts=True)
    assert (len(groups), int(sizes.sum()), int(sizes.min())) == (1_518, 3_373, 2)
    kept = ferplus_majority(facts.votes.astype(np.int64)) >= 0
    assert [int(kept[rows].sum()) for rows in splits.values()] == [25_060, 3_199, 3_153]
    columns = pq.read_schema(SHIPPED)
    assert not [f.name for f in columns if f.type in ("binary", "large_binary")]
    assert b"The table contains no pixels" in columns.metadata[b"ferscope"]


def test_the_shipped_table_fits_the_shipped_networks() -> None:
    for checkpoint in list_checkpoints().checkpoints:
        facts = facts_for(checkpoint.card.data.fingerprint)
        run = checkpoint.evaluation("test")
        rows = facts.at(run.image_ids)
        if checkpoint.card.labels == facts.labels:  # networks of FER+ have other labels for the same images
            np.testing.assert_array_equal(rows.truth, run.truth)
        np.testing.assert_array_equal(rows.copy_in_train, run.copy_in_train)
        assert set(rows.split) == {"test"}


def test_the_shipped_table_is_that_of_the_data(fer2013) -> None:
    head = pd.read_parquet(fer2013, columns=["emotion"])
    facts = ImageFacts.load(SHIPPED)
    np.testing.assert_array_equal(facts.truth, head["emotion"])


def test_a_custom_label_set_survives(tmp_path) -> None:
    labels = LabelSet("custom", ("bright", "dark"))
    facts = describe(samples_of(np.zeros((2, 8, 8), np.uint8), labels=labels))
    facts.save(tmp_path / "x.parquet")
    assert ImageFacts.load(tmp_path / "x.parquet").labels == labels
