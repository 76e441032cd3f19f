"""Bytes of a photo -> pixels, upright. Everything that is not a photo ends as one :class:`ImageError`."""

from __future__ import annotations

import hashlib
import io
import warnings

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import ImageError

MAX_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 16

# Named one by one: Pillow also opens formats that start other programs (EPS) or that no camera writes.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM", "JPEG2000")

# What the stored picture has to undergo to stand upright (Exif 2.32, tag 274). Not ImageOps.exif_transpose: that also
# rewrites the whole EXIF block, and fails on photos whose other tags are damaged.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# How files that people mistake for photos begin.
LOOKS_LIKE = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"8BPS": "a Photoshop document",
    b"%!PS": "a PostScript document",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML document",
    b"<!do": "a web page",
    b"<html": "a web page",
    b"\x1aE\xdf\xa3": "a video",
}


def decode(data: bytes) -> np.ndarray:
    """The photo upright, (H, W, 3) uint8 RGB.

    EXIF orientation is applied, transparency is laid on white, 16 bits are scaled to 8, and of an animation the first
    frame is taken. Size limits are checked on the header, before any pixel is decoded. Raises ImageError.
    """
    if not data:
        raise ImageError("expected a photo, got an empty file (0 bytes); choose another file")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"a photo may have at most {MAX_BYTES / 1e6:.0f} MB, this file has {len(data) / 1e6:.1f} MB; "
            "save a smaller version"
        )
    with _opened(data) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise _too_many_pixels(f"{width * height / 1e6:.1f}, {width} x {height}")
        if min(width, height) < MIN_SIDE_PX:
            raise ImageError(
                f"a photo must be at least {MIN_SIDE_PX} px on each side, this one is {width} x {height} px; "
                "choose a larger one"
            )
        try:
            picture.load()
            orientation = _orientation(picture)
            image = _rgb(picture)
            return np.array(image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image)
        except ImageError:
            raise
        except Exception as error:  # each format's decoder raises kinds of its own
            raise ImageError(
                f"expected a whole photo, but this {picture.format} file is cut off or damaged ({error}); "
                "copy or export it again"
            ) from error


def digest(data: bytes) -> str:
    """SHA-256 of the file's bytes in hex: the cache key of everything computed from a photo."""
    return hashlib.sha256(data).hexdigest()


def encode_png(image: np.ndarray) -> bytes:
    """An image (H, W) or (H, W, 3) uint8 as a PNG file. Raises ValueError for another shape or type."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        raise ValueError(f"an image must be uint8 (H, W) or (H, W, 3), got {image.dtype} {image.shape}")
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, format="PNG")
    return file.getvalue()


def rotated(image: np.ndarray, degrees_clockwise: int) -> np.ndarray:
    """An image (H, W, ...) rotated by a multiple of 90 degrees. Raises ValueError for another angle."""
    if degrees_clockwise % 90:
        raise ValueError(f"a photo is rotated by a multiple of 90 degrees, got {degrees_clockwise}")
    return np.ascontiguousarray(np.rot90(image, -degrees_clockwise // 90))


def require_rgb(image: np.ndarray) -> None:
    """Raises ValueError unless ``image`` is (H, W, 3) uint8 with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"an RGB image must be uint8 with shape (H, W, 3), got {image.dtype} {image.shape}")


def _opened(data: bytes) -> Image.Image:
    """The picture with its header read. Raises ImageError."""
    # Pillow warns above a limit of its own. Raised instead of printed, the warning becomes our sentence; set once and
    # for all, because catch_warnings is not safe between threads.
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(f"over {(Image.MAX_IMAGE_PIXELS or MAX_PIXELS) / 1e6:.0f}") from None
    except UnidentifiedImageError:
        raise ImageError(f"expected a photo, got {_appearance(data)}; choose a JPEG, PNG or WebP file") from None
    except Exception as error:  # each format's header reader raises kinds of its own
        raise ImageError(f"expected a photo, got a file whose header is damaged ({error}); export it again") from error


def _too_many_pixels(found: str) -> ImageError:
    limit = f"a photo may have at most {MAX_PIXELS / 1e6:.0f} megapixels"
    return ImageError(f"{limit}, this one has {found}; save a smaller version")


def _appearance(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if data[4:8] == b"ftyp":
        is_heic = data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
        return "a HEIC photo, which has to be exported first" if is_heic else "a video"
    for beginning, name in LOOKS_LIKE.items():
        if start.startswith(beginning.lower()):
            return name
    if start and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "a text file"
    return "a file of an unknown kind"


def _rgb(picture: Image.Image) -> Image.Image:
    """A loaded picture of any mode as 8-bit RGB. Raises ImageError where it does not say which value is white."""
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PPM"):
        # 65535 / 255 = 257 exactly; Pillow's own conversion would clip at 255 instead.
        gray = (np.asarray(picture).astype(np.uint32) + 128) // 257
        return Image.fromarray(gray.astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        raise ImageError(
            f"expected 8 or 16 bits a pixel, this {picture.format} file has 32 and does not say which value is white; "
            "save it with 8 bits"
        )
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        on_white = Image.new("RGB", rgba.size, "white")
        on_white.paste(rgba, mask=rgba.getchannel("A"))
        return on_white
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation 1-8 of a loaded picture; 1 where there is none, or none that can be read."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block is no reason to refuse the pixels
        return 1
