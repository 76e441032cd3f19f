import dataclasses

import numpy as np
import pytest
import torch

from core.data import FERPLUS_COLUMNS, Samples, read
from core.errors import DataError, RecipeError
from core.labels import AFFECTNET8, FER7, FERPLUS8
from core.preprocessing import Preprocessing
from core.training.recipe import load_recipe
from core.training.targets import check_samples, training_data, training_samples, vote_distribution
from tests.conftest import tiny_recipe


def fer_rows(n, labels=FER7, votes=None, splits=("train", "val", "test")):
    return Samples(
        "rows",
        labels,
        np.zeros((n, 48, 48), np.uint8),
        np.arange(n) % len(labels),
        np.array(splits)[np.arange(n) // len(labels) % len(splits)],
        np.arange(n),
        votes,
    )


def votes_for(n, class_name):
    votes = np.zeros((n, 10), np.int16)
    votes[:, FERPLUS_COLUMNS.index(class_name)] = 10
    return votes


def test_other_classes_than_the_recipe_expects_are_named(image_folder):
    with pytest.raises(RecipeError, match=r"cnn is for FER7 .* but shapes has bright, dark, striped"):
        training_samples(load_recipe("cnn"), read(image_folder))


def test_same_classes_in_another_order_are_reordered_for_the_recipe():
    alphabetical = dataclasses.replace(FER7, name="custom", classes=tuple(sorted(FER7.classes)))
    samples = training_samples(load_recipe("cnn"), fer_rows(14, alphabetical))
    assert samples.labels == FER7
    assert [FER7.classes[t] for t in samples.truth[:7]] == sorted(FER7.classes)


def test_affectnet_recipe_takes_its_own_classes_or_the_ferplus_majority():
    recipe = load_recipe("affectnet_resnet50")
    own = fer_rows(8, dataclasses.replace(AFFECTNET8, name="custom", classes=tuple(sorted(AFFECTNET8.classes))))
    assert training_samples(recipe, own).labels == AFFECTNET8
    majority = training_samples(recipe, fer_rows(8, FER7, votes_for(8, "contempt")))
    assert majority.labels == AFFECTNET8
    assert set(majority.truth) == {AFFECTNET8.index("contempt")}
    with pytest.raises(RecipeError, match=r"has angry, .*put fer2013new\.csv in the folder of fer2013\.csv, or"):
        training_samples(recipe, fer_rows(8))


def test_votes_become_shares_over_the_classes():
    votes = np.zeros((2, 10), np.int16)
    votes[0, FERPLUS_COLUMNS.index("happiness")] = 6
    votes[0, FERPLUS_COLUMNS.index("surprise")] = 2
    votes[0, FERPLUS_COLUMNS.index("contempt")] = 2  # FER7 has no contempt: left out, the rest adds to 1
    shares, has_votes = vote_distribution(votes, FER7)
    assert shares[0, FER7.index("happy")] == pytest.approx(0.75)
    assert shares[0, FER7.index("surprise")] == pytest.approx(0.25)
    assert list(has_votes) == [True, False]
    assert vote_distribution(votes, FERPLUS8)[0][0, FERPLUS8.index("contempt")] == pytest.approx(0.2)


def test_votes_are_mixed_into_the_targets_of_images_that_have_some():
    votes = np.zeros((14, 10), np.int16)
    votes[0, FERPLUS_COLUMNS.index("happiness")] = 10
    recipe = dataclasses.replace(load_recipe("residual_cnn"), votes_weight=0.5)
    data = training_data(recipe, fer_rows(14, votes=votes), Preprocessing())
    assert data.targets[0, FER7.index("angry")] == pytest.approx(0.5)
    assert data.targets[0, FER7.index("happy")] == pytest.approx(0.5)
    assert data.targets[1].max() == 1.0


def test_teachers_contribute_their_part_of_the_target(image_folder):
    recipe = tiny_recipe(teachers=("residual_cnn",), teachers_weight=0.7)
    samples = training_samples(recipe, read(image_folder))
    taught = torch.full((96, 3), 1 / 3)
    data = training_data(recipe, samples, Preprocessing(), taught)
    assert torch.allclose(data.targets.sum(1), torch.ones(96), atol=1e-5)
    assert torch.allclose(data.targets.amax(1), torch.full((96,), 0.3 + 0.7 / 3), atol=1e-5)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("val", "test"), "no training images"),
        (("train", "test"), "no images in its val split, which chooses the epoch"),
        (("train", "val"), "no images in its test split; add --val-only"),
    ],
)
def test_missing_split_is_named_with_the_remedy(splits, message):
    with pytest.raises(DataError, match=message):
        check_samples(load_recipe("itm2025_cnn"), fer_rows(21, splits=splits), val_only=False)


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_split_of_one_image_is_refused(split):
    samples = fer_rows(21)
    first = np.flatnonzero(samples.split == split)[0]
    few = samples.select((samples.split != split) | (np.arange(21) == first))
    with pytest.raises(DataError, match=f"has one image in its {split} split"):
        check_samples(load_recipe("itm2025_cnn"), few, val_only=False)
    if split == "test":
        check_samples(load_recipe("itm2025_cnn"), few, val_only=True)


def test_missing_test_split_is_accepted_with_val_only():
    check_samples(load_recipe("itm2025_cnn"), fer_rows(14, splits=("train", "val")), val_only=True)


def test_class_without_training_images_is_named():
    samples = fer_rows(21)
    with pytest.raises(DataError, match="no training image of the class 'disgust'"):
        check_samples(
            load_recipe("itm2025_cnn"),
            samples.select((samples.truth != FER7.index("disgust")) | (samples.split != "train")),
            val_only=False,
        )


def test_missing_votes_name_the_file_that_holds_them():
    with pytest.raises(DataError, match=r"cnn mixes FER\+ votes .* put fer2013new\.csv next to"):
        check_samples(load_recipe("cnn"), fer_rows(21), val_only=False)
