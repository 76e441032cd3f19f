import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.probes import OCCLUSION_PRESETS, Perturbation
from core.robustness import CORRUPTIONS, STRENGTHS, corrupt

IDS = np.arange(40)


@pytest.fixture
def faces():
    """Forty images with edges, so that rotation, shifts and blur change them."""
    images = np.random.default_rng(1).integers(60, 190, (40, 3, 3), dtype=np.uint8)
    return images.repeat(16, axis=1).repeat(16, axis=2)


def change(before, after):
    """The mean absolute difference of the pixels in gray levels."""
    return np.abs(before.astype(float) - after.astype(float)).mean()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_strength_changes_the_image_more(faces, name):
    changes = [change(faces, corrupt(faces, name, strength, IDS)) for strength in STRENGTHS]
    assert changes[0] > 0
    assert changes == sorted(changes)
    assert len(set(changes)) == 5


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_does_not_depend_on_the_batch_and_its_order(faces, name):
    whole = corrupt(faces, name, 3, IDS)
    reversed_batch = corrupt(faces[::-1], name, 3, IDS[::-1])[::-1]
    alone = corrupt(faces[7:8], name, 3, IDS[7:8])
    assert np.array_equal(whole, reversed_batch)
    assert np.array_equal(whole[7], alone[0])
    assert whole.dtype == np.uint8


@settings(max_examples=20, deadline=None)
@given(
    arrays(np.uint8, st.sampled_from([(2, 16, 16), (2, 31, 31), (1, 48, 48, 3)])),
    st.sampled_from(sorted(CORRUPTIONS)),
    st.sampled_from(STRENGTHS),
)
def test_any_image_keeps_its_shape(images, name, strength):
    before = images.copy()
    changed = corrupt(images, name, strength, np.arange(len(images)))
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(images, before)  # all conditions use the same images


@pytest.mark.parametrize("region", ["eyes", "mouth"])
def test_at_strength_3_the_bar_is_the_region_that_what_if_hides(faces, region):
    hidden = corrupt(faces, region, 3, IDS)
    assert np.array_equal(hidden[0], Perturbation(hidden=OCCLUSION_PRESETS[region]).apply(faces[0]))


@pytest.mark.parametrize(("name", "field"), [("blur", "blur"), ("contrast", "contrast"), ("jpeg", "jpeg_quality")])
def test_a_strength_is_a_setting_of_what_if(faces, name, field):
    value = CORRUPTIONS[name].settings[3]
    assert np.array_equal(corrupt(faces, name, 4, IDS)[5], Perturbation(**{field: value}).apply(faces[5]))


def test_brightness_makes_some_images_darker_and_others_lighter():
    gray = np.full((40, 16, 16), 128, np.uint8)
    levels = corrupt(gray, "brightness", 1, IDS)[:, 0, 0]
    assert set(levels) == {102, 154}  # 128 and a tenth of 255 less or more, rounded to even
    assert 8 <= (levels > 128).sum() <= 32


def test_a_shift_moves_by_whole_pixels_in_one_of_four_directions():
    images = np.zeros((40, 50, 50), np.uint8)
    images[:, 25, 25] = 255
    shifted = corrupt(images, "shift", 2, IDS)  # 8 % of 50 px
    positions = {tuple(int(v) for v in np.argwhere(image == 255)[0]) for image in shifted}
    assert positions == {(21, 25), (29, 25), (25, 21), (25, 29)}


def test_noise_differs_between_images_and_only_grows_with_the_strength():
    gray = np.full((2, 32, 32), 128, np.uint8)
    weak, strong = (corrupt(gray, "noise", strength, IDS[:2]).astype(float) - 128 for strength in (1, 2))
    assert weak.std() == pytest.approx(0.02 * 255, rel=0.1)
    assert np.corrcoef(weak[0].ravel(), strong[0].ravel())[0, 1] > 0.99
    assert abs(np.corrcoef(weak[0].ravel(), weak[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("name", "strength", "ids", "message"),
    [("fog", 1, IDS, "no corruption 'fog'"), ("blur", 6, IDS, "got 6"), ("blur", 1, IDS[:3], "40 images and 3")],
)
def test_unknown_arguments_are_refused(faces, name, strength, ids, message):
    with pytest.raises(ValueError, match=message):
        corrupt(faces, name, strength, ids)
