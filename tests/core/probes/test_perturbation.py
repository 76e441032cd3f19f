from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.checkpoints import list_checkpoints
from core.errors import PerturbationError
from core.faces import detector
from core.images import decode
from core.inference import Predictor, analyze
from core.preprocessing import Preprocessing
from core.probes import (
    OCCLUSION_GRID,
    OCCLUSION_PRESETS,
    PERTURBATION_SETTINGS,
    Perturbation,
    perturbed_inputs,
    predict_perturbed,
    sweep,
)
from core.sample_photos import sample_photos

CHEQUERED = (np.indices((48, 48)).sum(axis=0) % 2 * 100 + 50).astype(np.uint8)  # 50 and 150, mean 100
RANDOM = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def predictors(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def analysis(predictors):
    return analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors)


@pytest.mark.parametrize("image", [CHEQUERED, RANDOM])
def test_the_default_changes_no_pixel(image):
    assert Perturbation().is_identity
    assert np.array_equal(Perturbation().apply(image), image)


def test_brightness_is_added_and_contrast_scales_about_the_mean():
    assert np.array_equal(Perturbation(brightness=0.2).apply(CHEQUERED), CHEQUERED + 51)
    assert np.array_equal(Perturbation(contrast=0.5).apply(CHEQUERED), np.where(CHEQUERED == 50, 75, 125))
    assert Perturbation(brightness=0.5).apply(CHEQUERED).max() == 255  # clipped, not wrapped round


def test_noise_has_the_requested_deviation_and_is_reproducible():
    gray = np.full((400, 400), 128, np.uint8)
    noisy = Perturbation(noise=0.1).apply(gray)
    assert noisy.std() == pytest.approx(25.5, rel=0.02)
    assert np.array_equal(noisy, Perturbation(noise=0.1).apply(gray))
    color = Perturbation(noise=0.1).apply(np.full((40, 40, 3), 128, np.uint8))
    assert np.array_equal(color[..., 0], color[..., 2])


def test_blur_is_relative_to_the_side():
    edge = np.repeat([[0] * 50 + [255] * 50], 100, axis=0).astype(np.uint8)
    large = np.repeat(np.repeat(edge, 2, axis=0), 2, axis=1)
    small_blur, large_blur = (Perturbation(blur=4).apply(image) for image in (edge, large))
    # One sigma right of the edge a blurred step is at 84 %: 4 px of 100, and 8 px of 200.
    assert small_blur[50, 53:55].mean() / 255 == pytest.approx(0.84, abs=0.02)
    assert large_blur[100, 107:109].mean() / 255 == pytest.approx(0.84, abs=0.02)


def test_mirroring_and_rotation():
    assert np.array_equal(Perturbation(mirrored=True).apply(RANDOM), RANDOM[:, ::-1])
    corner = np.zeros((49, 49), np.uint8)
    corner[24, 40] = 255  # right of the middle; counterclockwise by 45 degrees it goes up
    row, column = np.unravel_index(Perturbation(rotation_deg=45).apply(corner).argmax(), (49, 49))
    assert (row, column) == (24 - 11, 24 + 11)


def test_compression_keeps_the_channel_order():
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 0] = 200
    pressed = Perturbation(jpeg_quality=50).apply(red)
    assert np.abs(pressed.astype(int) - red).max() < 8
    assert not np.array_equal(Perturbation(jpeg_quality=5).apply(RANDOM), RANDOM)


def test_hidden_cells_are_filled_with_the_mean_and_nothing_else_changes():
    changed = Perturbation(hidden=frozenset({(1, 2)})).apply(CHEQUERED)
    assert (changed[8:16, 16:24] == 100).all()
    changed[8:16, 16:24] = CHEQUERED[8:16, 16:24]
    assert np.array_equal(changed, CHEQUERED)


def test_hiding_all_cells_or_unknown_cells_is_refused():
    everything = OCCLUSION_PRESETS["left half"] | OCCLUSION_PRESETS["right half"]
    assert len(everything) == OCCLUSION_GRID * OCCLUSION_GRID
    with pytest.raises(PerturbationError, match="the whole face is hidden; leave at least one cell"):
        Perturbation(hidden=everything)
    with pytest.raises(PerturbationError, match="grid of 6 × 6, got \\(6, 0\\)"):
        Perturbation(hidden=frozenset({(6, 0)}))
    with pytest.raises(PerturbationError, match=r"blur must lie in 0\.0 to 10\.0, got nan"):
        Perturbation(blur=float("nan"))


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries({name: st.floats(knob.low, knob.high) for name, knob in PERTURBATION_SETTINGS.items()}),
    st.booleans(),
    st.sampled_from([(16, 16), (48, 48), (61, 61, 3)]),
)
def test_any_change_gives_an_image_of_the_same_shape(values, mirrored, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    changed = Perturbation(**values, mirrored=mirrored, hidden=OCCLUSION_PRESETS["mouth"]).apply(image)
    assert changed.shape == shape
    assert changed.dtype == np.uint8


def test_without_a_change_inputs_and_predictions_are_those_of_the_analysis(predictors, analysis):
    again = predict_perturbed(predictors, analysis, 0, Perturbation())
    for model_id, before in analysis.faces[0].predictions.items():
        assert again.predictions[model_id].probabilities == pytest.approx(before.probabilities, abs=1e-6)
    for model_id, before in analysis.faces[0].inputs.items():
        assert np.array_equal(again.inputs[model_id], before)


def test_changes_are_applied_before_equalization(predictors, analysis):
    card = replace(predictors[0].card, preprocessing=Preprocessing(equalize="histogram"))
    equalizing = Predictor(predictors[0].network, card)
    plain, brighter = perturbed_inputs(equalizing, analysis, 0, [Perturbation(), Perturbation(brightness=0.05)])
    assert np.abs(plain.astype(int) - brighter).mean() < 8  # equalizing takes light away again


def test_a_margin_shows_more_of_the_photo(predictors, analysis):
    tight, wide = perturbed_inputs(predictors[0], analysis, 0, [Perturbation(margin=-0.2), Perturbation(margin=0.4)])
    assert not np.array_equal(tight, wide)


def test_a_sweep_gives_the_prediction_of_each_value(predictors, analysis):
    base = Perturbation(mirrored=True)
    swept = sweep(predictors[0], analysis, 0, base, "brightness", [-0.3, 0.0, 0.3])
    for value, prediction in zip(swept.setting_values, swept.predictions, strict=True):
        alone = predict_perturbed(predictors, analysis, 0, replace(base, brightness=float(value)))
        assert prediction.probabilities == pytest.approx(
            alone.predictions[predictors[0].model_id].probabilities, abs=1e-5
        )
    assert swept.probability(0).shape == (3,)
    assert len(sweep(predictors[0], analysis, 0, base, "blur").setting_values) == 13
    assert all(p.features is None for p in swept.predictions)  # sweeps are cached
    with pytest.raises(PerturbationError, match="unknown setting 'mood'"):
        sweep(predictors[0], analysis, 0, base, "mood")
