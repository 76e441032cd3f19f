"""The data set of a network with the labels that it learned: ``Runtime.card_samples`` and ``Runtime.facts``."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.checkpoints import load_checkpoint
from core.data import describe, image_facts, read
from core.data.identity import identify
from core.errors import DataError
from core.labels import FER7, FERPLUS8
from core.measurements import evaluate_checkpoint, read_own_samples, save_scores
from core.runtime import Runtime
from core.training import train, training_samples
from core.training.teachers import published
from tests.conftest import draw, tiny_recipe

DISPUTED = (5, 5, 0, 0, 0, 0, 0, 0, 0, 0)


def votes_for(number: int) -> tuple[int, ...]:
    """Ten annotators: every third image has no majority, the others go through the eight classes of FER+."""
    return DISPUTED if number % 3 == 2 else tuple(10 * (k == number % 8) for k in range(10))


def write_csv(folder: Path, *, votes: bool = True, seed: int = 0) -> Path:
    """fer2013.csv with 48 images of Training and 24 of each other split, with fer2013new.csv next to it."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    usages = ["Training"] * 48 + ["PublicTest"] * 24 + ["PrivateTest"] * 24
    faces = ["emotion,pixels,Usage"]
    annotated = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    for number, usage in enumerate(usages):
        image = draw(("bright", "dark")[number % 3 % 2], random)
        faces.append(f"{number % 7},{' '.join(map(str, image.ravel()))},{usage}")
        annotated.append(f"{usage},fer{number:07}.png,{','.join(map(str, votes_for(number)))}")
    (folder / "fer2013.csv").write_text("\n".join(faces) + "\n")
    if votes:
        (folder / "fer2013new.csv").write_text("\n".join(annotated) + "\n")
    return folder / "fer2013.csv"


@pytest.fixture(scope="module")
def voted_csv(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("voted") / "data")


@pytest.fixture(scope="module")
def networks(tmp_path_factory, voted_csv):
    """One trained on the labels of a data set and one on the FER+ majority of the same."""
    folder = tmp_path_factory.mktemp("two")
    on_labels = tiny_recipe(name="on_labels", labels="FER7", epochs=1)
    on_votes = tiny_recipe(name="on_votes", labels="FERPLUS8", target="ferplus", epochs=1)
    return [train(r, voted_csv, runs=folder / "runs", root=folder / "root") for r in (on_labels, on_votes)]


@pytest.fixture
def runtime(tmp_path):
    return Runtime(tmp_path, "cpu")


def test_a_network_on_the_ferplus_majority_finds_its_images(networks, voted_csv, runtime):
    whole = read(voted_csv)
    on_labels, on_votes = (runtime.card_samples(network.card, voted_csv) for network in networks)
    assert on_labels.labels is FER7
    assert len(on_labels) == 48
    assert on_votes.labels is FERPLUS8
    assert len(on_votes) == 32  # a third has no majority
    assert "train" not in on_votes.split
    assert set(on_votes.ids % 3) == {0, 1}
    assert np.array_equal(on_votes.images, whole.images[on_votes.ids])
    run = networks[1].evaluation("test")
    at = np.searchsorted(on_votes.ids, run.image_ids)
    assert np.array_equal(on_votes.ids[at], run.image_ids)
    assert np.array_equal(on_votes.truth[at], run.truth)


def test_without_the_votes_the_error_names_their_file(networks, tmp_path, runtime):
    source = write_csv(tmp_path / "data", votes=False)
    assert runtime.card_samples(networks[0].card, source).labels is FER7  # which needs none
    with pytest.raises(DataError, match=r"has no FER\+ votes; put fer2013new.csv in the folder"):
        runtime.card_samples(networks[1].card, source)


def test_votes_that_are_added_later_are_found(networks, voted_csv, tmp_path, runtime):
    source = write_csv(tmp_path / "data", votes=False)
    with pytest.raises(DataError, match=r"has no FER\+ votes"):
        runtime.card_samples(networks[1].card, source)
    shutil.copy(voted_csv.parent / "fer2013new.csv", source.parent)
    assert runtime.card_samples(networks[1].card, source).labels is FERPLUS8
    assert runtime.data_set(source)[1].votes is not None


def test_another_data_set_is_refused(networks, tmp_path, runtime):
    source = write_csv(tmp_path / "data", seed=1)
    for network in networks:
        with pytest.raises(DataError, match=f"is not the data set of {network.card.run_id}: expected .* fingerprint"):
            runtime.card_samples(network.card, source)


def test_a_copy_of_the_data_set_in_which_a_few_images_differ_is_accepted(
    networks, voted_csv, tmp_path, monkeypatch, runtime
):
    source = write_csv(tmp_path / "data")
    header, *rows = source.read_text().splitlines()
    usages = [row.rsplit(",", 1)[1] for row in rows]

    def write(changed: int) -> None:
        dark = [f"{n % 7},{' '.join(['7'] * 2304)},{usages[n]}" for n in range(changed)]
        source.write_text("\n".join([header, *dark, *rows[changed:]]) + "\n")

    write(2)
    with pytest.raises(DataError, match="is not the data set"):
        runtime.card_samples(networks[0].card, source)
    monkeypatch.setattr(image_facts, "FOLDER", tmp_path)
    describe(read(voted_csv)).save(tmp_path / "voted_images.parquet")
    write(1)
    for network in networks:
        assert len(Runtime(tmp_path, "cpu").card_samples(network.card, source))
        assert read_own_samples(network.card, source).labels == network.card.labels
        scores = evaluate_checkpoint(network, source, "test")
        assert scores.note == ""
        save_scores(network, scores)
        assert load_checkpoint(network.path).card.data == network.card.data
    recipe = tiny_recipe(name="on_votes", labels="FERPLUS8", target="ferplus", epochs=1)
    samples = read(source)
    data = identify(samples, training_samples(recipe, samples))
    assert published(recipe, data, networks[1].path.parent) is not None
    assert published(recipe, replace(data, copy_of=()), networks[1].path.parent) is None
    trained = train(replace(recipe, name="on_copy"), source, runs=tmp_path / "runs", root=tmp_path / "root")
    assert trained.card.data.fingerprint != networks[1].card.data.fingerprint
    assert runtime.facts(trained.card).fingerprints == runtime.facts(networks[1].card).fingerprints
    assert len(runtime.card_samples(trained.card, voted_csv))
    write(20)
    with pytest.raises(DataError, match="is not the data set"):
        Runtime(tmp_path, "cpu").card_samples(networks[0].card, source)


def test_one_table_of_facts_fits_both(networks, voted_csv, tmp_path, monkeypatch, runtime):
    monkeypatch.setattr(image_facts, "FOLDER", tmp_path)
    with pytest.raises(DataError, match=r"create one for .* with: python -m core data describe"):
        runtime.facts(networks[0].card)
    describe(read(voted_csv)).save(tmp_path / "voted_images.parquet")
    for network in networks:
        ids = network.evaluation("test").image_ids
        assert np.array_equal(runtime.facts(network.card).at(ids).ids, ids)


def test_classes_of_a_folder_are_put_into_the_order_of_the_network(tmp_path, runtime):
    random = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for name in FER7.classes:
            folder = tmp_path / "faces" / split / name
            folder.mkdir(parents=True)
            for number in range(3):
                Image.fromarray(draw("bright", random)).save(folder / f"{number}.png")
    recipe = tiny_recipe(name="on_folder", labels="FER7", epochs=1)
    network = train(recipe, tmp_path / "faces", runs=tmp_path / "runs", root=tmp_path / "root")
    samples = runtime.card_samples(load_checkpoint(network.path).card, tmp_path / "faces")
    assert samples.labels.classes == FER7.classes
    run = network.evaluation("test")
    assert np.array_equal(samples.truth[np.searchsorted(samples.ids, run.image_ids)], run.truth)
