"""Scores of installed networks on their own and on other data sets."""

import dataclasses
import itertools
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.checkpoints import load_checkpoint, save_card
from core.cli import main
from core.data import SplitShares
from core.errors import CheckpointError, DataError, SplitError
from core.evaluation import summarize
from core.importing import ImportOptions, import_weights
from core.labels import FERPLUS8, LabelSet
from core.measurements import embed_checkpoint, evaluate_checkpoint, read_own_samples, save_scores
from core.runtime import Runtime
from core.training import train
from tests.conftest import CLASSES, tiny_recipe, write_folder
from tests.core.test_card_samples import write_csv


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A folder of classes without splits."""
    return (
        write_folder(tmp_path_factory.mktemp("flat"), {"test": 20})
        .joinpath("test")
        .rename(tmp_path_factory.mktemp("data") / "flat")
    )


@pytest.fixture(scope="module")
def divided(flat, tmp_path_factory):
    """A network that was trained on a random split of that folder."""
    folder = tmp_path_factory.mktemp("divided")
    return train(
        tiny_recipe(name="divided", epochs=1), flat, runs=folder / "runs", root=folder / "out", split="60/20/20", seed=3
    )


@pytest.fixture
def imported(checkpoint, tmp_path):
    """The same weights as ``checkpoint``, trained elsewhere."""
    torch.save(checkpoint.network().state_dict(), tmp_path / "net.pt")
    options = ImportOptions(
        "imported", "cnn", checkpoint.card.labels, model_options=dict(checkpoint.card.model_options)
    )
    return import_weights(tmp_path / "net.pt", options, tmp_path / "checkpoints")


def test_the_split_of_a_network_is_applied_to_its_own_data_set(divided, flat):
    card = load_checkpoint(divided.path).card
    assert card.data.shares == SplitShares(60, 20, 20, seed=3)
    assert card.training_command.endswith("--data PATH --split 60/20/20 --seed 3")
    scores = evaluate_checkpoint(divided, flat, "test")
    assert (scores.note, scores.summary) == ("", card.metrics["test"])
    ((_, embedding),) = embed_checkpoint(divided, flat, ["val"])
    assert len(embedding) == card.metrics["val"].n
    assert len(read_own_samples(card, flat)) == 60
    assert len(Runtime(divided.path.parent, "cpu").card_samples(card, flat)) == 24
    everything = evaluate_checkpoint(divided, flat, "all")
    assert everything.summary.n == 60
    assert everything.note == "All images of flat are scored, those of train and val included."
    with pytest.raises(DataError, match="cannot be stored with divided: All images"):
        save_scores(divided, everything)


def test_the_split_of_a_network_is_not_applied_to_other_data_sets(divided, image_folder, tmp_path):
    assert "is not the data set of divided" in evaluate_checkpoint(divided, image_folder, "test").note
    other = write_folder(tmp_path / "other", {"test": 5}, seed=5) / "test"
    with pytest.raises(SplitError, match=r"test has no splits .*; score all of its images with --split all$"):
        evaluate_checkpoint(divided, other, "test")
    assert evaluate_checkpoint(divided, other, "all").summary.n == 15
    for source in (other, image_folder):
        with pytest.raises(
            DataError, match=r"is not the data set of divided|does not have the splits of the network's"
        ):
            read_own_samples(divided.card, source)


def test_without_splits_no_option_of_another_command_is_advised(checkpoint, flat):
    with pytest.raises(SplitError) as raised:
        read_own_samples(checkpoint.card, flat)
    assert "does not have the splits of the network's data set: flat has no splits" in str(raised.value)
    assert "give the data set that the network was trained on" in str(raised.value)
    assert "--split" not in str(raised.value)


def test_a_network_on_the_ferplus_majority_is_scored_on_labels_where_there_are_no_votes(tmp_path):
    recipe = tiny_recipe(name="on_votes", labels="FERPLUS8", target="ferplus", epochs=1)
    source = write_csv(tmp_path / "voted")
    network = train(recipe, source, runs=tmp_path / "runs", root=tmp_path / "root")
    folder = tmp_path / "faces"
    for split, name in itertools.product(("train", "val", "test"), FERPLUS8.classes):
        (folder / split / name).mkdir(parents=True)
        Image.new("L", (48, 48)).save(folder / split / name / "0.png")
    scores = evaluate_checkpoint(network, folder, "test")
    assert (scores.run.labels.classes, scores.summary.n) == (FERPLUS8.classes, 8)
    assert "faces has no FER+ votes, so its own labels are scored." in scores.note
    shutil.rmtree(folder / "test" / "contempt")
    assert evaluate_checkpoint(network, folder, "test").summary.n == 7
    assert evaluate_checkpoint(network, write_csv(tmp_path / "unvoted", votes=False), "test").summary.n == 24
    everything = evaluate_checkpoint(network, source, "all")
    assert (everything.run.labels, everything.summary.n) == (FERPLUS8, 64)  # a third has no majority
    assert "votes" not in everything.note


def test_copies_in_training_are_unknown_unless_the_network_was_trained_on_the_data(checkpoint, image_folder, tmp_path):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 2}, seed=5)
    assert evaluate_checkpoint(checkpoint, image_folder, "test").summary.accuracy_without_copies is not None
    for source, split in ((image_folder, "train"), (image_folder, "all"), (other, "test")):
        assert evaluate_checkpoint(checkpoint, source, split).summary.accuracy_without_copies is None


def test_the_card_of_an_imported_network_does_not_depend_on_the_order_of_the_splits(imported, image_folder, tmp_path):
    cards = []
    for order in (("val", "test"), ("test", "val")):
        path = Path(shutil.copytree(imported.path, tmp_path / order[0] / "imported"))
        for split in (*order, *order):
            network = load_checkpoint(path)
            save_scores(network, evaluate_checkpoint(network, image_folder, split))
        cards.append(load_checkpoint(path).card)
    assert cards[0].temperature != 1
    assert cards[0] == cards[1]


def test_the_data_set_of_an_imported_network_has_its_order_of_the_classes(checkpoint, image_folder, tmp_path):
    torch.save(checkpoint.network().state_dict(), tmp_path / "net.pt")
    networks = {}
    for name, classes in {"first": CLASSES[::-1], "second": (*CLASSES[1:], CLASSES[0])}.items():
        labels, options = LabelSet("custom", classes), dict(checkpoint.card.model_options)
        network = import_weights(
            tmp_path / "net.pt", ImportOptions(name, "cnn", labels, model_options=options), tmp_path / "checkpoints"
        )
        save_scores(network, evaluate_checkpoint(network, image_folder, "test"))
        networks[name] = load_checkpoint(network.path)
    runtime = Runtime(tmp_path / "checkpoints", "cpu")
    for network in networks.values():
        samples, run = runtime.card_samples(network.card, image_folder), network.evaluation("test")
        assert samples.labels == network.card.labels == read_own_samples(network.card, image_folder).labels
        assert (samples.truth[np.searchsorted(samples.ids, run.image_ids)] == run.truth).all()


def test_a_network_without_a_data_set_is_told_how_to_add_one(imported, image_folder, flat):
    runtime = Runtime(imported.path.parent, "cpu")
    message = r"data set of imported is not known yet; add it .*: python -m core evaluate imported --data DATA"
    for source in (image_folder, flat):  # with and without splits
        with pytest.raises(DataError, match=message):
            read_own_samples(imported.card, source)
        with pytest.raises(DataError, match=message):
            runtime.card_samples(imported.card, source)
    with pytest.raises(DataError, match=message):
        runtime.facts(imported.card)
    save_scores(imported, evaluate_checkpoint(imported, image_folder, "val"))
    card = load_checkpoint(imported.path).card
    assert len(runtime.card_samples(card, image_folder)) == 72


def test_scores_of_training_images_are_not_stored(imported, image_folder, capsys, monkeypatch):
    scores = evaluate_checkpoint(imported, image_folder, "all")
    with pytest.raises(DataError, match="All images of shapes are scored, those of train and val included"):
        save_scores(imported, scores)
    command = ["evaluate", "imported", "--data", image_folder, "--checkpoints", imported.path.parent]
    monkeypatch.setattr(sys, "argv", ["core", *map(str, command), "--split", "train", "--save"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "expected one of val, test, all" in " ".join(capsys.readouterr().err.split())


def test_scores_of_two_commands_at_the_same_time_are_both_kept(imported, image_folder):
    first, second = (evaluate_checkpoint(imported, image_folder, split) for split in ("val", "test"))
    save_scores(imported, first)
    save_scores(imported, second)  # read before the first was stored
    card = load_checkpoint(imported.path).card
    assert set(card.metrics) == {"val", "test"}
    assert card.temperature != imported.card.temperature
    for split, summary in card.metrics.items():
        assert summary == summarize(load_checkpoint(imported.path).evaluation(split))


def test_scores_of_two_data_sets_at_the_same_time_are_not_mixed(imported, image_folder, tmp_path):
    other = write_folder(tmp_path / "other", {"train": 4, "val": 4, "test": 4}, seed=5)
    first, second = (evaluate_checkpoint(imported, source, "test") for source in (image_folder, other))
    save_scores(imported, first)
    with pytest.raises(DataError, match=r"in the meantime got those of another data set \(shapes\)"):
        save_scores(imported, second)
    assert load_checkpoint(imported.path).card.metrics["test"].n == first.summary.n


def test_scores_of_a_network_that_was_replaced_in_between_are_not_stored(imported, image_folder):
    scores = evaluate_checkpoint(imported, image_folder, "val")
    other = dataclasses.replace(imported.card, weights_sha256="0" * 64)
    save_card(other, imported.path)
    with pytest.raises(CheckpointError, match="was replaced by other weights"):
        save_scores(imported, scores)
    assert load_checkpoint(imported.path).card == other
