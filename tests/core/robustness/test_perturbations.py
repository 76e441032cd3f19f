import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.probes import OCCLUSION_PRESETS, Perturbation
from core.robustness import PERTURBATIONS, STRENGTHS, perturb

IDS = np.arange(40)


@pytest.fixture
def faces():
    """Forty pictures with edges, so that turning, shifting and blurring show."""
    pictures = np.random.default_rng(1).integers(60, 190, (40, 3, 3), dtype=np.uint8)
    return pictures.repeat(16, axis=1).repeat(16, axis=2)


def change(before, after):
    """Mean distance of the pixels, in gray levels."""
    return np.abs(before.astype(float) - after.astype(float)).mean()


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_strength_changes_more_than_the_one_before(faces, name):
    changes = [change(faces, perturb(faces, name, strength, IDS)) for strength in STRENGTHS]
    assert changes[0] > 0
    assert changes == sorted(changes)
    assert len(set(changes)) == 5


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_an_image_changes_the_same_way_whatever_the_batch_and_its_order(faces, name):
    whole = perturb(faces, name, 3, IDS)
    backwards = perturb(faces[::-1], name, 3, IDS[::-1])[::-1]
    alone = perturb(faces[7:8], name, 3, IDS[7:8])
    assert np.array_equal(whole, backwards)
    assert np.array_equal(whole[7], alone[0])
    assert whole.dtype == np.uint8


@settings(max_examples=20, deadline=None)
@given(
    arrays(np.uint8, st.sampled_from([(2, 16, 16), (2, 31, 31), (1, 48, 48, 3)])),
    st.sampled_from(sorted(PERTURBATIONS)),
    st.sampled_from(STRENGTHS),
)
def test_any_picture_keeps_its_shape(images, name, strength):
    before = images.copy()
    changed = perturb(images, name, strength, np.arange(len(images)))
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(images, before)  # the split is shared by all conditions


@pytest.mark.parametrize("part", ["eyes", "mouth"])
def test_at_strength_3_the_bar_is_the_part_that_what_if_hides(faces, part):
    hidden = perturb(faces, part, 3, IDS)
    assert np.array_equal(hidden[0], Perturbation(hidden=OCCLUSION_PRESETS[part]).apply(faces[0]))


@pytest.mark.parametrize(("name", "knob"), [("blur", "blur"), ("contrast", "contrast"), ("jpeg", "jpeg_quality")])
def test_a_strength_is_a_place_of_the_slider_of_what_if(faces, name, knob):
    value = PERTURBATIONS[name].settings[3]
    assert np.array_equal(perturb(faces, name, 4, IDS)[5], Perturbation(**{knob: value}).apply(faces[5]))


def test_some_images_get_darker_and_some_lighter():
    gray = np.full((40, 16, 16), 128, np.uint8)
    levels = perturb(gray, "brightness", 1, IDS)[:, 0, 0]
    assert set(levels) == {102, 154}  # 128 and a tenth of 255 less or more, rounded to even
    assert 8 <= (levels > 128).sum() <= 32


def test_a_shift_moves_by_whole_pixels_one_of_four_ways():
    images = np.zeros((40, 50, 50), np.uint8)
    images[:, 25, 25] = 255
    moved = perturb(images, "shift", 2, IDS)  # 8 % of 50 px
    places = {tuple(int(v) for v in np.argwhere(image == 255)[0]) for image in moved}
    assert places == {(21, 25), (29, 25), (25, 21), (25, 29)}


def test_noise_differs_between_images_and_grows_with_the_same_grain():
    gray = np.full((2, 32, 32), 128, np.uint8)
    weak, strong = (perturb(gray, "noise", strength, IDS[:2]).astype(float) - 128 for strength in (1, 2))
    assert weak.std() == pytest.approx(0.02 * 255, rel=0.1)
    assert np.corrcoef(weak[0].ravel(), strong[0].ravel())[0, 1] > 0.99
    assert abs(np.corrcoef(weak[0].ravel(), weak[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("name", "strength", "ids", "sentence"),
    [("fog", 1, IDS, "no perturbation 'fog'"), ("blur", 6, IDS, "got 6"), ("blur", 1, IDS[:3], "40 images and 3")],
)
def test_what_cannot_be_asked_for_is_a_sentence(faces, name, strength, ids, sentence):
    with pytest.raises(ValueError, match=sentence):
        perturb(faces, name, strength, ids)
