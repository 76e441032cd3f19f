import dataclasses
import shutil

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from core.checkpoints import CheckpointFolder, load_checkpoint
from core.cli import app
from core.data import read
from core.errors import CheckpointError, OutputError
from core.inference import embed, embed_split, infer_logits, prepared_images
from core.models import build_network, families
from core.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def samples(image_folder):
    return read(image_folder)


@pytest.fixture
def own_root(checkpoint_root, tmp_path):
    """A copy of the tests' networks as they were before embeddings, to write into."""
    without = shutil.ignore_patterns("embeddings-*")
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints", ignore=without)


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("family", list(families()))
def test_the_head_maps_the_features_to_the_logits(family):
    torch.manual_seed(0)
    network = build_network(family, classes=3, channels=1).eval()
    images = torch.randint(0, 256, (5, 48, 48), dtype=torch.uint8)
    features = embed(network, Preprocessing(), images, batch_size=2)
    assert features.shape == (5, network.head.in_features)
    with torch.inference_mode():
        assert torch.allclose(network.head(features), infer_logits(network, Preprocessing(), images), atol=1e-4)


def test_an_empty_batch_has_no_features(checkpoint):
    features = embed(checkpoint.network(), checkpoint.card.preprocessing, torch.empty(0, 48, 48, dtype=torch.uint8))
    assert features.shape == (0, 16)


def test_the_embedding_keeps_image_ids_and_distances(checkpoint, samples):
    network, preprocessing = checkpoint.network(), checkpoint.card.preprocessing
    found = embed_split(network, preprocessing, samples, "test", model_id="tiny", weights_sha256="x")
    chosen = samples.of("test")
    assert found.image_ids.tolist() == chosen.ids.tolist()
    assert found.features == 16
    assert found.explained.sum() == pytest.approx(1, abs=1e-3)  # all of 16 directions are kept
    features = embed(network, preprocessing, prepared_images(chosen, preprocessing)).numpy()
    components = found.components.astype(np.float64)
    expected = np.linalg.norm(features - features[0], axis=1)
    assert np.linalg.norm(components - components[0], axis=1) == pytest.approx(expected, abs=0.02)


def test_the_command_stores_both_splits(own_root, image_folder):
    checkpoint = load_checkpoint(own_root / "tiny_cnn")
    with pytest.raises(CheckpointError, match=r"no stored embedding of the test split; create it with: python -m core"):
        checkpoint.embedding("test")
    result = run("embed", "tiny_cnn", "--data", image_folder, "--checkpoints", own_root)
    assert result.exit_code == 0, result.output
    assert "n = 36, 16 of 16 components explain 1.000" in result.output
    for split in ("val", "test"):
        assert checkpoint.embeddings_path(split).is_file()
        found = checkpoint.embedding(split)
        assert found.image_ids.tolist() == checkpoint.evaluation(split).image_ids.tolist()


def test_the_command_accepts_one_split_and_refuses_unknown_ones(own_root, image_folder):
    folder = own_root / "tiny_cnn"
    assert not run("embed", "tiny_cnn", "--data", image_folder, "--split", "val", "--checkpoints", own_root).exit_code
    assert CheckpointFolder(folder).embeddings_path("val").is_file()
    assert not CheckpointFolder(folder).embeddings_path("test").is_file()
    wrong = run("embed", "tiny_cnn", "--data", image_folder, "--split", "train", "--checkpoints", own_root)
    assert wrong.exit_code == 2
    assert "expected one of val, test" in wrong.output


def test_a_folder_that_cannot_be_written_is_reported(own_root, image_folder):
    CheckpointFolder(own_root / "tiny_cnn").embeddings_path("val").mkdir()
    result = run("embed", "tiny_cnn", "--data", image_folder, "--split", "val", "--checkpoints", own_root)
    assert isinstance(result.exception, OutputError)
    assert "tiny_cnn cannot be written: Is a directory" in str(result.exception)


def test_another_data_set_is_refused(own_root, image_folder, tmp_path):
    other = shutil.copytree(image_folder, tmp_path / "other")
    pictures = sorted((other / "test" / "dark").iterdir())
    shutil.copy(pictures[0], pictures[1])
    result = run("embed", "tiny_cnn", "--data", other, "--checkpoints", own_root)
    assert "is not the data set of tiny_cnn" in str(result.exception)
    assert not CheckpointFolder(own_root / "tiny_cnn").embeddings_path("test").is_file()


def test_an_embedding_of_other_weights_or_a_damaged_one_names_the_command(own_root, image_folder):
    run("embed", "tiny_cnn", "--data", image_folder, "--checkpoints", own_root)
    checkpoint = load_checkpoint(own_root / "tiny_cnn")
    retrained = dataclasses.replace(checkpoint, card=dataclasses.replace(checkpoint.card, weights_sha256="0" * 64))
    with pytest.raises(
        CheckpointError, match="belongs to other weights; create it with: python -m core embed tiny_cnn"
    ):
        retrained.embedding("test")
    checkpoint.embeddings_path("test").write_bytes(b"cut")
    with pytest.raises(CheckpointError, match="cannot be read as a Parquet file of an embedding"):
        checkpoint.embedding("test")


def test_the_help_has_an_example():
    assert "python -m core embed cnn" in run("embed", "--help").output
