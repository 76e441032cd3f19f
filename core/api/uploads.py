"""The photos of a request: a raw image, or the files of a multipart form. They are held in memory only."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from core.api.limits import Limits
from core.api.problems import Problem

FIELD = "files"
RAW_NAME = "photo"  # the name of a photo that was sent without one
BINARY = "application/octet-stream"
UTF_8 = b"utf-8"


@dataclass(frozen=True)
class Upload:
    """A photo as it was received."""

    name: str
    data: bytes = field(repr=False)


async def read_photos(request: Request, limits: Limits) -> list[Upload]:
    """The photos of a request, at least one.

    Raises Problem: 400 for a form that is truncated, unreadable, not in UTF-8 or without a photo, 413 above a limit,
    and 415 for another content type. Raises ClientDisconnect.
    """
    content_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    if content_type == b"multipart/form-data":
        # The parser would decode names with any codec of Python, some of which give text that is not valid Unicode.
        charset = parameters.get(b"charset", UTF_8)
        if charset.lower() not in (UTF_8, b"utf8"):
            found = repr(charset.decode("latin-1")[:80])
            raise Problem(400, f"Expected a form in UTF-8, got the charset {found}; send the form without a charset.")
        photos = await _form_photos(request, limits)
    elif content_type.startswith(b"image/") or content_type == BINARY.encode():
        photos = [Upload(RAW_NAME, b"".join([chunk async for chunk in _bounded(request, limits)]))]
        if not photos[0].data:
            raise Problem(400, "The body is empty; expected the bytes of a photo.")
    else:
        found = repr(content_type.decode("latin-1")[:80]) if content_type else "none"
        raise Problem(415, f"Expected the content type image/* or multipart/form-data, got {found}.")
    for photo in photos:
        if len(photo.data) > limits.photo_mb * 1e6:
            found = f"{photo.name!r} is {len(photo.data) / 1e6:.1f} MB"
            raise Problem(413, f"A photo may be at most {limits.photo_mb:g} MB; {found}; send a smaller version.")
    return photos


class _Form(MultiPartParser):
    """Starlette's parser, which counts the parts and notices a form that is truncated."""

    spool_max_size = 0  # never write a file to the disk, whatever its size

    def __init__(self, request: Request, limits: Limits) -> None:
        super().__init__(request.headers, _bounded(request, limits), max_files=limits.files, max_fields=limits.files)
        self.parts, self.complete = 0, False

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self.parts += 1
        if self.parts > self.max_files:
            raise Problem(413, f"A request may have at most {self.max_files} photos; send several requests.")

    def on_end(self) -> None:
        self.complete = True


async def _form_photos(request: Request, limits: Limits) -> list[Upload]:
    form = _Form(request, limits)
    try:
        parts = (await form.parse()).multi_items()
    except MultiPartException as error:
        raise Problem(400, f"The multipart form cannot be read: {error.message.rstrip('.')}.") from None
    if not form.complete:
        raise Problem(400, "The multipart form is truncated before its last boundary; send it again.")
    photos = []
    for name, part in parts:
        if name != FIELD:
            raise Problem(
                400, f"Expected photos in the field {FIELD!r}, got the field {name!r}; options belong in the address."
            )
        if isinstance(part, str):
            raise Problem(400, f"Expected photos in the field {FIELD!r}, got text; with curl: -F {FIELD}=@photo.jpg.")
        photos.append(Upload(part.filename or RAW_NAME, await part.read()))
        await part.close()
    if not photos:
        raise Problem(400, f"The form has no photo; expected one or more in the field {FIELD!r}.")
    return photos


async def _bounded(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """The body, as long as it is within the limit of a request."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limits.request_mb * 1e6:
            raise Problem(413, f"A request may be at most {limits.request_mb:g} MB; send fewer or smaller photos.")
        yield chunk
