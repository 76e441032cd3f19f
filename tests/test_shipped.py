"""The networks in ``checkpoints/``: their files agree with their cards."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from core.checkpoints import ROOT, list_checkpoints
from core.ensembles import ENSEMBLES
from core.evaluation import ensemble_run, summarize
from core.explain import class_maps, explain
from core.exporting.conversion import export
from core.inference.backends import OnnxBackend
from core.labels import AFFECTNET8, FER7, FERPLUS8
from core.measurements import evaluate_checkpoint, read_own_samples
from core.sample_photos import sample_photos

SHIPPED = {c.card.run_id: c for c in list_checkpoints(ROOT).checkpoints}

# FER2013, and its images whose FER+ votes have a majority.
IMAGES = {
    "FER7": {"train": 28_709, "val": 3_589, "test": 3_589},
    "FERPLUS8": {"train": 25_060, "val": 3_199, "test": 3_153},
    "AFFECTNET8": {"train": 25_060, "val": 3_199, "test": 3_153},
}
# Of the test images, those that have no identical copy in Training.
WITHOUT_COPIES = {"FER7": 3_589 - 288, "FERPLUS8": 2_894, "AFFECTNET8": 2_894}

pytestmark = pytest.mark.skipif(not SHIPPED, reason="no network is installed")
each = pytest.mark.parametrize("run_id", SHIPPED)
with_weights = pytest.mark.parametrize("run_id", [r for r, c in SHIPPED.items() if c.card.weights_shipped])


class LogitsOnly(nn.Module):
    """The grad-cam package needs a module that returns logits only."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, faces):
        return self.network(faces).logits


@pytest.fixture(scope="module")
def faces():
    """Two portraits as the networks receive them, (2, 1, 48, 48)."""
    from core.faces import MEASURED, crop, detector
    from core.images import decode
    from core.preprocessing import Preprocessing

    image = decode(sample_photos()["two_faces"].data)
    found = detector("haar").detect(image)
    assert len(found) == 2
    return Preprocessing().to_tensor([crop(image, face, MEASURED["haar"]) for face in found])


def test_nothing_in_the_folder_is_broken():
    assert list_checkpoints(ROOT).problems == ()


@each
def test_stored_predictions_give_the_scores_of_the_card(run_id):
    card = SHIPPED[run_id].card
    for split, summary in card.metrics.items():
        again = summarize(SHIPPED[run_id].evaluation(split))
        assert again.n == summary.n == IMAGES[card.labels.name][split]
        assert abs(again.accuracy.value - summary.accuracy.value) * summary.n <= 1
        assert again.ece.value == pytest.approx(summary.ece.value, abs=1e-6)


@each
def test_the_readme_repeats_the_cards_scores(run_id):
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    card = SHIPPED[run_id].card
    val, test = card.metrics["val"], card.metrics["test"]
    scores = (val.accuracy, test.accuracy, val.accuracy_mirrored, test.accuracy_mirrored)
    cells = (f"`{run_id}`", *map(str, scores), f"{card.parameters / 1e6:.2f} M", f"{card.macs / 1e6:.0f} M")
    assert f"| {' | '.join(cells)} |" in readme


@pytest.mark.parametrize("ensemble", ENSEMBLES, ids=lambda e: e.name)
def test_the_readme_has_the_scores_of_the_mean_of_the_stored_predictions(ensemble):
    readme = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    members = [SHIPPED[run_id] for run_id in ensemble.members]
    val, test = (summarize(ensemble_run([m.evaluation(split) for m in members])) for split in ("val", "test"))
    scores = (val.accuracy, test.accuracy, val.accuracy_mirrored, test.accuracy_mirrored)
    parameters, macs = sum(m.card.parameters for m in members), sum(m.card.macs for m in members)
    cells = (f"`{ensemble.name}`", *map(str, scores), f"{parameters / 1e6:.2f} M", f"{macs / 1e6:.0f} M")
    assert f"| {' | '.join(cells)} |" in readme


@each
def test_the_card_names_labels_data_and_license(run_id):
    card = SHIPPED[run_id].card
    assert card.labels in (FER7, FERPLUS8, AFFECTNET8)
    assert card.data.images == IMAGES[card.labels.name]
    assert "research" in card.data.license
    assert set(card.preprocessing.crop_margin) >= {"haar", "yunet"}


@with_weights
def test_the_weights_are_those_of_the_card_and_predict(run_id, faces):
    with torch.inference_mode():
        logits = SHIPPED[run_id].network()(faces).logits
    assert logits.shape == (2, len(SHIPPED[run_id].card.labels))
    assert torch.isfinite(logits).all()


def test_only_networks_of_published_systems_are_without_weights():
    assert {c.card.role for c in SHIPPED.values() if not c.card.weights_shipped} <= {"reference"}


@with_weights
def test_closed_form_maps_are_the_packages_grad_cam(run_id, faces):
    network = SHIPPED[run_id].network()
    with torch.inference_mode():
        features = network(faces).features
    raw = class_maps(features, network.head.weight)
    with GradCAM(LogitsOnly(network), [network.stage_module(network.closed_form_stage)]) as package:
        for k in range(len(SHIPPED[run_id].card.labels)):
            theirs = package(faces, [ClassifierOutputTarget(k)] * len(faces))
            mine = scale_cam_image(scale_cam_image(raw[:, k].numpy(), (48, 48)))
            # Where no cell is positive the package divides rounding by rounding; FERscope says "no evidence".
            found = raw[:, k].amax(dim=(1, 2)) > 0
            np.testing.assert_allclose(mine[found], theirs[found], atol=1e-4)


@with_weights
def test_gradients_at_the_last_stage_give_the_closed_form(run_id, faces):
    network = SHIPPED[run_id].network()
    with torch.inference_mode():
        features = network(faces).features
    closed = explain(network, faces, stage=network.closed_form_stage, features=features)
    # HiResCAM is computed by gradients and equals Grad-CAM before the pooling.
    by_gradient = explain(network, faces, stage=network.closed_form_stage, method="hirescam")
    for a, b in zip(closed, by_gradient, strict=True):
        np.testing.assert_allclose(a.heatmap, b.heatmap, atol=1e-4)


@with_weights
def test_a_fresh_run_over_the_data_reproduces_the_card(run_id, fer2013):
    card = SHIPPED[run_id].card
    again = evaluate_checkpoint(SHIPPED[run_id], fer2013, "test").summary
    assert abs(again.accuracy.value - card.metrics["test"].accuracy.value) * again.n <= 1
    assert again.accuracy_without_copies.n == WITHOUT_COPIES[card.labels.name]


@with_weights
def test_the_exported_network_gives_the_stored_test_logits(run_id, fer2013):
    checkpoint = SHIPPED[run_id]
    images = read_own_samples(checkpoint.card, fer2013).of("test").images
    logits, _, _ = OnnxBackend(export(checkpoint).data).outputs(images[:256])
    np.testing.assert_allclose(logits, checkpoint.evaluation("test").logits[:256], atol=1e-3)


@each
@pytest.mark.parametrize("split", ["val", "test"])
def test_the_stored_t_sne_map_is_that_of_the_embedding(run_id, split):
    stored = SHIPPED[run_id].tsne(split)
    assert stored is not None
    assert len(stored.plane) == IMAGES[SHIPPED[run_id].card.labels.name][split]
