"""Bytes of a photo -> upright RGB pixels. Everything that is not a photo raises one :class:`ImageError`."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import ImageError, ImageTooLargeError

MAX_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
MIN_SIDE_PX = 16
# A photo whose mean gray level is below this is called very dark: that of a well lit portrait is about 100 of 255.
DARK_LEVEL = 25
STRIP_ROWS = 64  # that are converted at once

# Pillow's formats with the suffixes of their files. Pillow also opens formats that start other programs (EPS) or that
# no camera writes, so the list is explicit. It applies to uploads, the command line and image folders.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
}
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)

try:
    import pi_heif
except ModuleNotFoundError:  # on a machine that only trains; it reads every other format
    _OPENED = tuple(name for name in FORMATS if name != "HEIF")
else:
    _OPENED = tuple(FORMATS)
    pi_heif.register_heif_opener()

# The transposition that sets a stored picture upright (Exif 2.32, tag 274). Not ImageOps.exif_transpose: that also
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

# The first bytes of files that are mistaken for photos.
FILE_SIGNATURES = {
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
# The brands of photos in the container that videos have as well.
PHOTO_BRANDS = {
    "a damaged HEIC photo": (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"),
    "a damaged AVIF photo": (b"avif", b"avis"),
}
J2K_START = b"\xff\x4f\xff\x51"  # of a JPEG 2000 codestream; its sizes follow


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo upright, (H, W, 3) uint8 RGB.

    EXIF orientation is applied, transparency is replaced by white, and an animation gives its first frame. Data of more
    than 8 bits is scaled by its own range of 10, 12, 14 or 16 bits. Size limits are checked on the header, before any
    pixel is decoded. Raises ImageError, and ImageTooLargeError for a file above the limits.
    """
    return _pixels(open_upright(data, min_side_px=MIN_SIDE_PX, max_pixels=max_pixels))


def open_upright(data: bytes, *, min_side_px: int = 1, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The same as :func:`decode` as a Pillow image of mode RGB, also of images smaller than a photo."""
    if not data:
        raise ImageError("expected a photo, got an empty file (0 bytes); choose another file")
    require_size(len(data))
    with _opened(data, max_pixels) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise _too_many_pixels(f"{width * height / 1e6:.1f}, {width} x {height}", max_pixels)
        if min(width, height) < min_side_px:
            raise ImageError(
                f"a photo must be at least {min_side_px} px on each side, this one is {width} x {height} px; "
                "choose a larger one"
            )
        try:
            has_deep_color = _has_deep_color(picture, data)  # which shows only before the pixels are loaded
            picture.load()
            orientation = _orientation(picture)
            image = (_deep_color(data) if has_deep_color else None) or _rgb(picture)
            return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image
        except ImageError:
            raise
        except Exception as error:  # each decoder raises its own types of exceptions
            raise ImageError(
                f"expected a complete photo, but this {picture.format} file is truncated or damaged ({error}); "
                "copy or export it again"
            ) from error


def require_size(size_bytes: int) -> None:
    """Raises ImageTooLargeError for a file of more than MAX_BYTES."""
    if size_bytes > MAX_BYTES:
        raise ImageTooLargeError(
            f"a photo may be at most {MAX_BYTES / 1e6:.0f} MB; this file is {size_bytes / 1e6:.1f} MB; "
            "save a smaller version"
        )


def darkness_hint(image: np.ndarray) -> str | None:
    """A sentence about a very dark photo (H, W, 3) uint8, None for any other."""
    level = float(image[::4, ::4].mean())
    if level >= DARK_LEVEL:
        return None
    return (
        f"This photo is very dark (mean gray level {level:.0f} of 255), so faces may be missed and predictions are "
        "less reliable. Use a brighter photo."
    )


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


def encode_jpeg(image: np.ndarray) -> bytes:
    """An RGB image (H, W, 3) uint8 as a JPEG file of high quality. Raises ValueError for another shape or type."""
    require_rgb(image)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, format="JPEG", quality=95, subsampling=0)
    return file.getvalue()


def data_uri(data: bytes, media_type: str) -> str:
    """A file as an address that HTML can contain; ``media_type`` is, for example, ``image/png``."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def rotated(image: np.ndarray, degrees_clockwise: int) -> np.ndarray:
    """An image (H, W, ...) rotated by a multiple of 90 degrees. Raises ValueError for another angle."""
    if degrees_clockwise % 90:
        raise ValueError(f"a photo is rotated by a multiple of 90 degrees, got {degrees_clockwise}")
    return np.ascontiguousarray(np.rot90(image, -degrees_clockwise // 90))


def require_rgb(image: np.ndarray) -> None:
    """Raises ValueError unless ``image`` is (H, W, 3) uint8 with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"an RGB image must be uint8 with shape (H, W, 3), got {image.dtype} {image.shape}")


def _opened(data: bytes, max_pixels: int) -> Image.Image:
    """The picture with its header read. Raises ImageError, also for one above Pillow's own limit of pixels."""
    # Pillow warns above its own limit. The warning is raised, so that it becomes the sentence below; the filter is set
    # permanently, because catch_warnings is not thread safe.
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        return Image.open(io.BytesIO(data), formats=_OPENED)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(f"over {(Image.MAX_IMAGE_PIXELS or max_pixels) / 1e6:.0f}", max_pixels) from None
    except UnidentifiedImageError:
        raise ImageError(f"expected a photo, got {_appearance(data)}; choose a JPEG, PNG, WebP or HEIC file") from None
    except Exception as error:  # each reader of headers raises its own types of exceptions
        raise ImageError(f"expected a photo, got a file whose header is damaged ({error}); export it again") from error


def _too_many_pixels(found: str, max_pixels: int) -> ImageTooLargeError:
    limit = f"a photo may have at most {max_pixels / 1e6:g} megapixels"
    return ImageTooLargeError(f"{limit}, this one has {found}; save a smaller version")


def _appearance(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if data[4:8] == b"ftyp":
        return next((name for name, brands in PHOTO_BRANDS.items() if data[8:12] in brands), "a video")
    for beginning, name in FILE_SIGNATURES.items():
        if start.startswith(beginning.lower()):
            return name
    if start and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "a text file"
    return "a file of an unknown kind"


def _rgb(picture: Image.Image) -> Image.Image:
    """A loaded picture of any mode as 8-bit RGB. Raises ImageError if it does not define which value is white."""
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PPM"):
        return Image.fromarray(_eight_bits(np.asarray(picture))).convert("RGB")
    if picture.mode in ("I", "F"):
        raise ImageError(
            f"expected 8 or 16 bits per pixel, this {picture.format} file has 32 and does not define which value is "
            "white; save it with 8 bits"
        )
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return _on_white(rgba, rgba.getchannel("A"))
    return picture if picture.mode == "RGB" else picture.convert("RGB")  # which would copy it: 40 ms at 12 megapixels


def _pixels(image: Image.Image) -> np.ndarray:
    """An RGB image as (H, W, 3) uint8, in strips that stay in the processor's cache: 28 ms instead of 54 at 12
    megapixels."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def _on_white(color: Image.Image, opacity: Image.Image) -> Image.Image:
    picture = Image.new("RGB", color.size, "white")
    picture.paste(color, mask=opacity)
    return picture


def _has_deep_color(picture: Image.Image, data: bytes) -> bool:
    """Whether a picture that is not loaded yet stores 16 bits per color, of which Pillow reads the upper 8 only."""
    if picture.mode not in ("RGB", "RGBA"):
        return False
    if picture.format == "JPEG2000":
        start = data.find(J2K_START)
        return start >= 0 and data[start + 42 : start + 43] == b"\x0f"  # Ssiz, the bits of the first component less 1
    stored = str(getattr(picture, "tile", ""))
    if picture.format == "PPM":
        return ", 65535)" in stored  # the value of white
    return ";16" in stored and "RGBa" not in stored  # which is color that is multiplied with its opacity


def _deep_color(data: bytes) -> Image.Image | None:
    """A file with 16-bit color as 8-bit RGB, None if OpenCV does not read it as such."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.dtype != np.uint16 or image.ndim != 3 or image.shape[2] not in (3, 4):
        return None
    color = Image.fromarray(np.ascontiguousarray(_eight_bits(image[..., 2::-1])))
    # Opacity has its own range, often 16 bits beside colors of 10.
    return color if image.shape[2] == 3 else _on_white(color, Image.fromarray(_eight_bits(image[..., 3])))


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Values of up to 16 bits scaled to 8.

    Data of 10, 12 and 14 bits is stored in 16, so white is the largest value of the smallest range that holds all
    values.
    """
    highest = int(values.max(initial=0))
    white = next((1 << bits) - 1 for bits in (10, 12, 14, 16, 32) if highest < 1 << bits)
    return np.asarray((values.astype(np.uint32) * 255 + white // 2) // white, np.uint8)


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation 1-8 of a loaded picture, 1 if it has none or none that can be read."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # the pixels are usable if the EXIF block is damaged
        return 1
