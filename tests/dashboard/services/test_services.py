"""The data set of a network, with the labels that it learned."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from core.checkpoints import load_checkpoint
from core.data import describe, image_facts, read
from core.errors import DataError
from core.labels import FER7, FERPLUS8
from core.training import train
from dashboard import services
from tests.conftest import draw, tiny_recipe

HAPPY = (0, 10, 0, 0, 0, 0, 0, 0, 0, 0)
NEUTRAL = (9, 0, 0, 1, 0, 0, 0, 0, 0, 0)
DISPUTED = (5, 5, 0, 0, 0, 0, 0, 0, 0, 0)
VOTES = (HAPPY, NEUTRAL, DISPUTED)  # of three images in a row; the third has no majority


def write_csv(folder: Path, *, votes: bool = True, seed: int = 0) -> Path:
    """fer2013.csv with 48 images of Training and 24 of each other split, with fer2013new.csv beside it."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    usages = ["Training"] * 48 + ["PublicTest"] * 24 + ["PrivateTest"] * 24
    faces = ["emotion,pixels,Usage"]
    annotated = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    for number, usage in enumerate(usages):
        image = draw(("bright", "dark")[number % 3 % 2], random)
        faces.append(f"{number % 7},{' '.join(map(str, image.ravel()))},{usage}")
        annotated.append(f"{usage},fer{number:07}.png,{','.join(map(str, VOTES[number % 3]))}")
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
def named(monkeypatch):
    """Let FERSCOPE_DATA name a path."""

    def name(path: Path) -> None:
        monkeypatch.setenv("FERSCOPE_DATA", str(path))
        st.cache_resource.clear()

    return name


def test_a_network_on_the_ferplus_majority_finds_its_images(networks, voted_csv, named):
    named(voted_csv)
    whole = read(voted_csv)
    on_labels, on_votes = (services.dataset(network.card) for network in networks)
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


def test_without_the_votes_it_is_said_where_they_go(networks, tmp_path, named):
    named(write_csv(tmp_path / "data", votes=False))
    assert services.dataset(networks[0].card).labels is FER7  # which needs none
    with pytest.raises(DataError, match=r"carries no FER\+ votes; put fer2013new.csv beside"):
        services.dataset(networks[1].card)


def test_votes_on_other_images_are_another_data_set(networks, tmp_path, named):
    named(write_csv(tmp_path / "data", seed=1))
    for network in networks:
        with pytest.raises(DataError, match=f"another data set than the one of {network.card.run_id}"):
            services.dataset(network.card)


def test_one_table_of_facts_fits_both(networks, voted_csv, tmp_path, monkeypatch):
    monkeypatch.setattr(image_facts, "FOLDER", tmp_path)
    st.cache_resource.clear()
    describe(read(voted_csv)).save(tmp_path / "voted_images.parquet")
    for network in networks:
        ids = network.evaluation("test").image_ids
        assert np.array_equal(services.facts(network.card).at(ids).ids, ids)


def test_a_folder_names_the_classes_in_another_order_than_the_network(tmp_path, named):
    random = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for name in FER7.classes:
            folder = tmp_path / "faces" / split / name
            folder.mkdir(parents=True)
            for number in range(3):
                Image.fromarray(draw("bright", random)).save(folder / f"{number}.png")
    recipe = tiny_recipe(name="on_folder", labels="FER7", epochs=1)
    network = train(recipe, tmp_path / "faces", runs=tmp_path / "runs", root=tmp_path / "root")
    named(tmp_path / "faces")
    samples = services.dataset(load_checkpoint(network.path).card)
    assert samples.labels.classes == FER7.classes
    run = network.evaluation("test")
    assert np.array_equal(samples.truth[np.searchsorted(samples.ids, run.image_ids)], run.truth)
