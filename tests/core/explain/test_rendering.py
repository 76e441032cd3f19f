from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from core.explain import COLORMAPS, colorize, overlay, upsample


@pytest.mark.parametrize("name", COLORMAPS)
def test_colors_span_the_color_map_with_rising_brightness(name: str) -> None:
    colors = colorize(np.linspace(0, 1, 32, dtype=np.float32)[None], name)
    assert colors.dtype == np.uint8
    assert colors.shape == (1, 32, 3)
    np.testing.assert_allclose(colors[0, -1], 255 * np.array(matplotlib.colormaps[name](1.0)[:3]), atol=1)
    luminance = colors[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_an_unknown_color_map_is_refused() -> None:
    with pytest.raises(ValueError, match="viridis, cividis"):
        colorize(np.zeros((2, 2), np.float32), "jet")


def test_upsampling_is_bilinear() -> None:
    grown = upsample(np.array([[0.0, 1.0]], np.float32), (1, 4))
    np.testing.assert_allclose(grown, [[0.0, 0.25, 0.75, 1.0]])
    assert upsample(np.zeros((6, 6), np.float32), 48).shape == (48, 48)


def test_opacity_blends_the_image_and_the_colors() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    heatmap = np.array([[0.0, 1.0], [0.5, 0.2]], np.float32)
    np.testing.assert_array_equal(overlay(image, heatmap, opacity=0.0), image)
    np.testing.assert_array_equal(overlay(image, heatmap, opacity=1.0), colorize(upsample(heatmap, (9, 12))))
    half = overlay(image, heatmap, opacity=0.5, colormap="magma").astype(int)
    expected = (image.astype(float) + colorize(upsample(heatmap, (9, 12)), "magma")) / 2
    assert np.abs(half - expected).max() <= 0.5


def test_gray_images_are_accepted_and_invalid_arguments_refused() -> None:
    heatmap = np.zeros((2, 2), np.float32)
    assert overlay(np.zeros((4, 4), np.uint8), heatmap).shape == (4, 4, 3)
    with pytest.raises(ValueError, match="opacity"):
        overlay(np.zeros((4, 4), np.uint8), heatmap, opacity=1.5)
    with pytest.raises(ValueError, match="uint8"):
        overlay(np.zeros((4, 4), np.float32), heatmap)
