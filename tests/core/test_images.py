"""Every kind of photo decodes to upright RGB; everything else is one clear sentence."""

import base64
import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core import images
from core.errors import ImageError
from core.images import SUFFIXES, darkness_hint, decode, digest, encode_png, rotated
from core.sample_photos import sample_photos

WIDTH, HEIGHT = 40, 24


def scene() -> np.ndarray:
    """A smooth picture without any symmetry, (24, 40, 3)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.dstack([x * 5, y * 9, 40 + x * 2 + y * 3]).astype(np.uint8)


def saved(image: Image.Image | np.ndarray, fmt: str, **options: object) -> bytes:
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    picture.save(file, format=fmt, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """How a camera stores an upright picture under an EXIF orientation (rows and columns by Exif 2.32, tag 274)."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright).copy()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["PNG", "TIFF", "WEBP"])
def test_every_exif_orientation_is_applied(fmt, orientation):
    options = {"lossless": True} if fmt == "WEBP" else {}
    data = saved(stored(scene(), orientation), fmt, exif=exif(orientation), **options)
    np.testing.assert_array_equal(decode(data), scene())


def test_a_rotated_jpeg_is_set_upright():
    data = saved(stored(scene(), 6), "JPEG", exif=exif(6), quality=98, subsampling=0)
    assert np.abs(decode(data).astype(int) - scene()).max() < 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("block", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_a_photo_with_a_damaged_exif_block_is_read(block):
    assert decode(saved(scene(), "JPEG", exif=block)).shape == (HEIGHT, WIDTH, 3)


def test_an_orientation_that_does_not_exist_is_ignored():
    np.testing.assert_array_equal(decode(saved(scene(), "PNG", exif=exif(77))), scene())


@pytest.mark.parametrize("fmt", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_keep_every_pixel(fmt):
    np.testing.assert_array_equal(decode(saved(scene(), fmt)), scene())


@pytest.mark.parametrize("fmt", ["JPEG", "WEBP", "AVIF", "JPEG2000"])
def test_lossy_formats_keep_the_picture(fmt):
    assert np.abs(decode(saved(scene(), fmt, quality=95)).astype(float) - scene()).mean() < 6


# scene() as a phone stores it; FERscope reads HEIC and does not write it. The second file has the orientation 6.
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAASAAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNs"
    "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAKAAAAAEAAAAYAAAAAf///+gAAAAC////2AAAAAIAAAAQcGl4"
    "aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAABKG1kYXQAAAEcKAGvBPIfJuSQcWhy+bqBNdcN/v6diztruRvCr6dX"
    "1aRxywnxOaRrHiMkTwkqlndlmjVYcMPBTxogdYd4+Adu9qePC+47Mj2hPI3kRkErs0QLSXs21RNO6oD0WY0CRvUeaGZ/XdpMrRfm"
    "+1cTrXQsLsSepMHgzwJu2C4e9lb8RtQ+GmX4O8ZDbJUbqw68Lh+mhFhmsbQNOqyfS+wKd4awYjgyrhI1IZG33j8im897JS1TmZxD"
    "eIOXqmL6ZBuPgz79k+lvjcjZvBFwUZCDBjGCjylS9zC81ZLuyp5UCoB7UOz3DQbpGcIXkAZe7nRvBE2NCSt3LW1ha2bQ38k18vAt"
    "gn6AvQGKSXa27vN/X5E6F5t4lpLYbFbBe4Fkdv8="
)
ROTATED_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAASAAAgAAAAADCwABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABBmlwcnAAAADlaXBjbwAAAHVodmNDAQNwAAAA"
    "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
    "rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
    "AAAAKAAAAAEAAAAYAAAAAf///+gAAAAC////2AAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQAB"
    "BoECAwWEhgAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAABTG1kYXQAAAEcKAGvBPIfJuSQcWhy+bqBNdcN/v6diztruRvCr6dX"
    "1aRxywnxOaRrHiMkTwkqlndlmjVYcMPBTxogdYd4+Adu9qePC+47Mj2hPI3kRkErs0QLSXs21RNO6oD0WY0CRvUeaGZ/XdpMrRfm"
    "+1cTrXQsLsSepMHgzwJu2C4e9lb8RtQ+GmX4O8ZDbJUbqw68Lh+mhFhmsbQNOqyfS+wKd4awYjgyrhI1IZG33j8im897JS1TmZxD"
    "eIOXqmL6ZBuPgz79k+lvjcjZvBFwUZCDBjGCjylS9zC81ZLuyp5UCoB7UOz3DQbpGcIXkAZe7nRvBE2NCSt3LW1ha2bQ38k18vAt"
    "gn6AvQGKSXa27vN/X5E6F5t4lpLYbFbBe4Fkdv8AAAAGRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
)


def test_heic_photos_are_read():
    image = decode(base64.b64decode(HEIC))
    assert image.shape == scene().shape
    assert np.abs(image.astype(int) - scene()).mean() < 8


def test_the_orientation_of_a_heic_photo_is_applied_once():
    image = decode(base64.b64decode(ROTATED_HEIC))
    assert image.shape == (WIDTH, HEIGHT, 3)
    assert np.abs(image.astype(int) - rotated(scene(), 90)).mean() < 8


def test_a_cut_heic_photo_is_an_error():
    with pytest.raises(ImageError):
        decode(base64.b64decode(HEIC)[:600])


def test_of_an_animation_the_first_frame_is_taken():
    first, second = np.full((20, 30), 10, np.uint8), np.full((20, 30), 240, np.uint8)
    for fmt in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if fmt == "WEBP" else {}
        data = saved(Image.fromarray(first), fmt, save_all=True, append_images=[Image.fromarray(second)], **options)
        assert decode(data).max() == 10, fmt


def test_a_still_gif_decodes():
    np.testing.assert_array_equal(np.unique(decode(saved(np.full((20, 30), 90, np.uint8), "GIF"))), [90])


@pytest.mark.parametrize("fmt", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_gray_is_scaled_and_not_clipped(fmt):
    deep = np.tile(np.array([0, 128, 129, 257, 32768, 65278, 65535, 1000], np.uint16), (16, 2))
    expected = [0, 0, 1, 1, 128, 254, 255, 4]
    np.testing.assert_array_equal(decode(saved(deep, fmt))[0, :8], np.repeat(expected, 3).reshape(8, 3))


def test_sixteen_bit_color_is_scaled():
    deep = np.full((16, 16, 3), (65535, 32768, 0), np.uint16)
    data = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode(data)[3, 3], (255, 128, 0))


@pytest.mark.parametrize(("bits", "white"), [(10, 1023), (12, 4095), (14, 16383), (16, 65535)])
@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
def test_data_of_fewer_bits_in_a_16_bit_file_is_scaled_to_its_own_range(fmt, bits, white):
    deep = np.tile(np.array([0, white // 2, white], np.uint16), (18, 6))
    np.testing.assert_array_equal(decode(saved(deep, fmt))[0, :3, 0], [0, 127, 255])
    color = cv2.imencode({"PNG": ".png", "TIFF": ".tiff"}[fmt], np.dstack([deep, deep, deep // 2]))[1].tobytes()
    np.testing.assert_array_equal(decode(color)[0, 2], [127, 255, 255])


@pytest.mark.parametrize(("bits", "white"), [(10, 1023), (12, 4095), (16, 65535)])
@pytest.mark.parametrize(
    ("suffix", "is_opaque"),
    [(".png", False), (".png", True), (".tiff", False), (".tiff", True), (".ppm", False), (".jp2", False)],
)
def test_color_of_fewer_bits_is_scaled_whatever_its_format_and_opacity(suffix, is_opaque, bits, white):
    deep = np.tile(np.repeat(np.array([0, white // 2, white], np.uint16), 16), (48, 1))
    layers = [deep, deep, deep // 2] + ([np.full_like(deep, 65535)] if is_opaque else [])
    data = cv2.imencode(suffix, np.dstack(layers))[1].tobytes()
    found = decode(data)[5, [5, 24, 42]].astype(int)
    assert np.abs(found - [[0, 0, 0], [63, 127, 127], [127, 255, 255]]).max() <= 1


def test_a_photo_of_16_bits_is_shown_on_white_where_it_is_transparent():
    deep = np.full((16, 16, 4), (0, 0, 1023, 65535), np.uint16)
    deep[:, 8:, 3] = 0
    deep[0, :, 3] = 32768
    image = decode(cv2.imencode(".png", deep)[1].tobytes())
    np.testing.assert_array_equal(image[5, [3, 12]], [(255, 0, 0), (255, 255, 255)])
    np.testing.assert_array_equal(image[0, 0], (255, 127, 127))


def test_color_whose_header_states_its_range_is_scaled_by_it():
    pixels = np.full((16, 16, 3), 500, ">u2").tobytes()
    assert decode(b"P6 16 16 4095\n" + pixels).max() == 31


def test_a_very_dark_photo_gets_a_hint():
    assert darkness_hint(scene()) is None
    assert "very dark (mean gray level 4 of 255)" in str(darkness_hint(np.full((40, 40, 3), 4, np.uint8)))


def test_rotation_is_clockwise_and_by_quarter_turns():
    np.testing.assert_array_equal(rotated(scene(), 90)[0], scene()[::-1, 0])
    np.testing.assert_array_equal(rotated(rotated(scene(), 270), 90), scene())
    with pytest.raises(ValueError, match="multiple of 90"):
        rotated(scene(), 45)


def test_every_suffix_of_the_list_belongs_to_a_format_that_pillow_reads():
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in SUFFIXES} == set(images.FORMATS)


def test_cmyk_jpeg_keeps_its_colors_whether_or_not_adobe_marked_it():
    color = np.full((24, 24, 3), (200, 30, 60), np.uint8)
    marked = saved(Image.fromarray(color).convert("CMYK"), "JPEG", quality=98)
    start = marked.index(b"\xff\xee\x00\x0eAdobe")
    unmarked = marked[:start] + marked[start + 16 :]
    for data in (marked, unmarked):
        assert np.abs(decode(data).astype(int) - color).max() < 6


def test_transparency_is_replaced_by_white():
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8] = (200, 0, 0, 255)
    rgba[0] = (0, 0, 0, 128)
    image = decode(saved(rgba, "PNG"))
    np.testing.assert_array_equal(image[5, 3], (200, 0, 0))
    np.testing.assert_array_equal(image[5, 12], (255, 255, 255))
    np.testing.assert_array_equal(image[0, 0], (127, 127, 127))

    gray = Image.merge("LA", (Image.new("L", (16, 16), 10), Image.new("L", (16, 16), 0)))
    assert decode(saved(gray, "PNG")).min() == 255


def test_palettes_with_and_without_transparency_decode():
    palette = Image.fromarray(np.repeat([[0, 1]], 16, axis=0).repeat(8, axis=1).astype(np.uint8)).convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    np.testing.assert_array_equal(decode(saved(palette, "PNG"))[0, [0, 15]], [(10, 20, 30), (40, 50, 60)])
    for fmt in ("PNG", "GIF"):
        image = decode(saved(palette, fmt, transparency=1))
        np.testing.assert_array_equal(image[0, [0, 15]], [(10, 20, 30), (255, 255, 255)])


def test_one_bit_is_black_and_white():
    bits = np.zeros((16, 16), bool)
    bits[:, 4:] = True
    np.testing.assert_array_equal(np.unique(decode(saved(Image.fromarray(bits), "PNG"))), [0, 255])


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_tiff_without_a_defined_white_is_refused(kind):
    with pytest.raises(ImageError, match="which value is white; save it with 8 bits"):
        decode(saved(np.linspace(0, 1e6, 400).reshape(20, 20).astype(kind), "TIFF"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"empty file \(0 bytes\); choose another"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"PK\x03\x04" + b"\0" * 40, "a ZIP archive"),
        (b"<!DOCTYPE html><p>", "a web page"),
        (b"  <svg xmlns=", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a damaged HEIC photo"),
        (saved(scene(), "AVIF")[:100], "a damaged AVIF photo"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"angry,happy\n0,1\n", "a text file"),
        (b"\x93\x01\x02 wild", "of an unknown kind"),
        (saved(scene(), "ICO"), "of an unknown kind"),
    ],
)
def test_a_file_that_is_not_a_photo_is_named(data, words):
    with pytest.raises(ImageError, match=words):
        decode(data)


@pytest.mark.parametrize(
    ("fmt", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {}), ("GIF", {}), ("TIFF", {})],
)
def test_a_file_cut_off_anywhere_is_an_error(fmt, options):
    noise = np.random.default_rng(1).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    data = saved(noise, fmt, **options)
    for share in (0.05, 0.3, 0.6, 0.9):
        with pytest.raises(ImageError):
            decode(data[: int(share * len(data))])


def test_a_truncated_jpeg_is_reported_as_cut_off():
    data = sample_photos()["grace_hopper"].data
    with pytest.raises(ImageError, match=r"this JPEG file is truncated or damaged .* copy or export it again"):
        decode(data[: len(data) // 2])


def test_too_many_bytes_are_refused_unread():
    with pytest.raises(ImageError, match=r"at most 30 MB; this file is 30\.0 MB; save a smaller"):
        decode(b"\xff\xd8\xff" + bytes(images.MAX_BYTES))


@pytest.mark.parametrize(
    ("size", "found"), [((20_000, 20_000), "over"), ((10_000, 9_500), "over"), ((8_000, 7_000), "56.0, 8000 x 7000")]
)
def test_too_many_pixels_are_refused_from_the_header_without_a_warning(size, found):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ImageError, match=f"50 megapixels.*{found}"):
            decode(png_header(*size))
    assert not caught


@pytest.mark.parametrize("size", [(4_000, 4_000), (10_000, 9_500), (20_000, 20_000)])
def test_too_many_pixels_are_reported_with_the_limit_of_the_caller(size):
    with pytest.raises(ImageError, match="at most 10 megapixels"):
        decode(png_header(*size), max_pixels=10_000_000)


@pytest.mark.parametrize("size", [(15, 40), (40, 15), (1, 1)])
def test_a_photo_below_16_px_is_refused(size):
    with pytest.raises(ImageError, match=f"at least 16 px on each side, this one is {size[0]} x {size[1]} px"):
        decode(saved(Image.new("RGB", size), "PNG"))


WILD = [saved(scene(), fmt) for fmt in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")]


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.builds(
        lambda data, at, patch, cut: (data[: at % len(data)] + patch + data[at % len(data) + len(patch) :])[:cut],
        st.sampled_from(WILD),
        st.integers(0, 100_000),
        st.binary(min_size=1, max_size=6),
        st.integers(1, 10_000),
    )
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_random_bytes_give_a_picture_or_an_image_error(data):
    try:
        image = decode(data)
    except ImageError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3


def test_png_survives_a_round_trip():
    np.testing.assert_array_equal(decode(encode_png(scene())), scene())
    np.testing.assert_array_equal(decode(encode_png(scene()[::-1, :, 0]))[..., 1], scene()[::-1, :, 0])
    with pytest.raises(ValueError, match="uint8"):
        encode_png(scene().astype(float))
    with pytest.raises(ValueError, match=r"\(H, W, 3\), got uint8 \(24, 40, 4\)"):
        encode_png(np.zeros((24, 40, 4), np.uint8))


def test_the_decoded_photo_is_writable():
    image = decode(encode_png(scene()))
    image[0] = 0
    assert image.flags.c_contiguous


def test_the_digest_is_sha256():
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_sample_photos_are_real_portraits_with_credit():
    photos = sample_photos()
    assert "grace_hopper" in photos
    for name, photo in photos.items():
        assert photo.name == name
        assert photo.title
        assert photo.credit
        assert min(decode(photo.data).shape[:2]) >= 256
