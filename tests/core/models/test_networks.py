import subprocess
import sys

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import WeightsEnum

from core import models
from core.errors import UnknownModelError, WeightsUnavailableError
from core.models import build_network, count_macs, count_parameters, deepest_stage


@pytest.mark.parametrize("name", list(models.families()))
@pytest.mark.parametrize("channels", [1, 3])
def test_logits_are_the_linear_layer_over_the_pooled_features(name, channels):
    network = build_network(name, classes=7, channels=channels).eval()
    with torch.inference_mode():
        logits, features = network(torch.randn(2, channels, 48, 48))
        assert logits.shape == (2, 7)
        assert torch.allclose(network.head(features.mean(dim=(2, 3))), logits, atol=1e-5)


@pytest.mark.parametrize("name", list(models.families()))
def test_an_unfilled_network_is_the_same_after_its_weights_are_loaded(name):
    trained = build_network(name, classes=3, channels=1).eval()
    before = torch.get_rng_state()
    network = models.build_unfilled(name, classes=3, channels=1, options={}).eval()
    assert torch.equal(torch.get_rng_state(), before)
    assert isinstance(network.head.weight, nn.Parameter)
    assert network.head.weight.requires_grad
    network.load_state_dict(trained.state_dict())
    faces = torch.randn(2, 1, 48, 48)
    with torch.inference_mode():
        assert torch.equal(network(faces).logits, trained(faces).logits)
    drawn = torch.nn.init.normal_(torch.zeros(4))  # afterwards, values are drawn again
    assert drawn.abs().sum() > 0


@pytest.mark.parametrize("name", list(models.families()))
def test_the_default_stage_has_at_least_six_by_six_cells(name):
    network = build_network(name, classes=7, channels=1).eval()
    seen = {}
    handle = network.stage_module(network.default_stage).register_forward_hook(
        lambda _m, _i, output: seen.update(shape=output.shape)
    )
    with torch.inference_mode():
        network(torch.zeros(1, 1, 48, 48))
    handle.remove()
    assert min(seen["shape"][2:]) >= 6


@pytest.mark.parametrize("name", list(models.families()))
def test_output_of_the_last_stage_enters_the_pooling(name):
    network = build_network(name, classes=3, channels=1).eval()
    seen = {}
    handle = network.stage_module(network.closed_form_stage).register_forward_hook(
        lambda _m, _i, output: seen.update(out=output)
    )
    with torch.inference_mode():
        features = network(torch.randn(1, 1, 48, 48)).features
    handle.remove()
    assert torch.equal(features, seen["out"])


def test_residual_cnn_differs_from_the_cnn_only_in_its_skips():
    plain = build_network("cnn", classes=7, channels=1)
    residual = build_network("residual_cnn", classes=7, channels=1)
    shapes = {k: v.shape for k, v in plain.state_dict().items()}
    rest = {k: v.shape for k, v in residual.state_dict().items() if ".skip." not in k}
    assert shapes == rest
    assert any(".skip." in k for k in residual.state_dict())


def test_unknown_family_is_named_with_the_known_ones():
    with pytest.raises(UnknownModelError, match=r"no network family 'vgg'; known families: cnn, residual_cnn"):
        build_network("vgg", classes=7, channels=1)


def test_unknown_stage_is_named():
    with pytest.raises(KeyError, match="no stage 'attic'"):
        build_network("cnn", classes=7, channels=1).stage_module("attic")


def test_family_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="registered twice"):
        models.register_model("cnn", title="again")(lambda **_: None)


def test_missing_imagenet_weights_name_the_remedy(monkeypatch, tmp_path):
    # An address that nothing serves stands for a machine without internet.
    from torchvision.models import ResNet50_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(ResNet50_Weights.IMAGENET1K_V2.value, "url", "http://127.0.0.1:9/none.pth", raising=False)
    with pytest.raises(WeightsUnavailableError, match="imagenet = false"):
        build_network("resnet50", classes=7, channels=1, imagenet=True)


@pytest.mark.parametrize("name", [name for name, family in models.families().items() if family.torchvision_names])
def test_imagenet_weights_give_a_gray_face_the_features_of_the_same_face_in_color(monkeypatch, name):
    torch.manual_seed(0)
    original = getattr(torchvision.models, name)().eval()
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: original.state_dict())
    gray, color = (build_network(name, classes=7, channels=n, imagenet=True, stem="imagenet").eval() for n in (1, 3))
    face = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        features = color(face.expand(-1, 3, -1, -1)).features
        torch.testing.assert_close(gray(face).features, features, rtol=1e-3, atol=1e-3)
        body = original.features if name == "mobilenet_v2" else nn.Sequential(*list(original.children())[:-2])
        torch.testing.assert_close(body(face.expand(-1, 3, -1, -1)), features, rtol=1e-3, atol=1e-3)


def test_networks_are_built_without_importing_torchvision():
    code = """
import sys
from core.models import build_network, families
for name in families():
    build_network(name, classes=7, channels=1)
print("torchvision" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_extra_blocks_precede_the_pooling():
    network = build_network("resnet50", classes=7, channels=1, extra_blocks=[64, 32]).eval()
    with torch.inference_mode():
        features = network(torch.zeros(1, 1, 48, 48)).features
    assert features.shape[1] == 32
    assert network.closed_form_stage == "extra"


@pytest.mark.parametrize(
    ("name", "options", "size_px", "stage"),
    [
        ("cnn", {}, 48, "stage 3"),
        ("resnet50", {}, 48, "stage 3"),
        ("resnet50", {"stem": "imagenet"}, 48, "stage 2"),
        ("resnet50", {"stem": "imagenet"}, 224, "stage 4"),
        ("mobilenet_v2", {}, 16, "stage 2"),
    ],
)
def test_deepest_stage_has_at_least_six_by_six_cells_at_the_size_of_use(name, options, size_px, stage):
    network = build_network(name, classes=7, channels=1, **options)
    assert deepest_stage(network, 1, size_px) == stage


def test_parameters_and_macs_of_a_network_counted_by_hand():
    trunk = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False))
    network = models.Network(trunk, 2, 3, stages={"all": "trunk"}, default_stage="all")
    assert count_parameters(network) == 2 * 9 + 2 * 3 + 3
    assert count_macs(network, channels=1, size_px=4) == 16 * 2 * 9 + 2 * 3
    assert network.training  # counting leaves the mode alone
