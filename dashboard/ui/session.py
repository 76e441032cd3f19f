"""The photos of a session, which of them is shown, and which detections somebody marked as not a face."""

from __future__ import annotations

import streamlit as st

from dashboard.services import Photo

# A session holds its photos in memory; a person compares a handful, and a server has many sessions.
MAX_PHOTOS = 24
MAX_NAMED = 8  # in a sentence


def photos() -> list[Photo]:
    """The session's photos, oldest first."""
    return list(_stored().values())


def add_photo(photo: Photo) -> None:
    """Store a photo and show it; the oldest one is removed when there are too many, which is remembered."""
    stored = _stored()
    stored.pop(photo.digest, None)
    _removed().pop(photo.digest, None)
    stored[photo.digest] = photo
    while len(stored) > MAX_PHOTOS:
        oldest = stored.pop(next(iter(stored)))
        _removed()[oldest.digest] = oldest.name, oldest.file_id
    choose_photo(photo)


def too_many() -> str | None:
    """A sentence if photos had to be removed: how many are stored, which are not, and what to do."""
    names = [name for name, _ in reversed(_removed().values())]  # in the uploader's order: the last added are first
    if not names:
        return None
    count = len(photos())
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return (
        f"{count} of {count + len(names)} photos are stored; a session stores at most {MAX_PHOTOS}. Not stored: "
        f"{', '.join(names[:MAX_NAMED])}{more}. To analyze these, forget the other photos and upload them again."
    )


def remove_uploads(file_ids: set[str]) -> None:
    """Remove uploads that were taken off the uploader's list; an equal file that is still listed keeps its photo."""
    listed = {f.file_id: f for f in st.session_state.get(uploader_key()) or []}
    for photo in photos():
        if photo.file_id in file_ids:
            equal = next((i for i, f in listed.items() if Photo.of(f.name, f.getvalue(), "").digest == photo.digest), "")
            _stored().pop(photo.digest)
            if equal:
                _stored()[photo.digest] = Photo(photo.name, photo.data, photo.digest, photo.source, equal)
    for file_id in file_ids:
        refused().pop(file_id, None)
    for digest in [d for d, (_, file_id) in _removed().items() if file_id in file_ids]:
        _removed().pop(digest)
    if st.session_state.get("photo_pills") not in _stored():
        st.session_state.pop("photo_pills", None)


def refuse(photo: Photo, reason: str) -> None:
    """Remember why an upload is not among the photos, until it is taken off the uploader's list."""
    refused()[photo.file_id] = f"{photo.name}: {reason}."


def refused() -> dict[str, str]:
    """One sentence for each upload that is not a photo, by the uploader's id of the file."""
    sentences: dict[str, str] = st.session_state.setdefault("refused", {})
    return sentences


def clear_photos() -> None:
    """Forget every photo, and empty the uploader."""
    for key in ("photos", "removed_photos", "refused", "not_faces", "photo_pills", "photo", "pair", "uploader_ids"):
        st.session_state.pop(key, None)
    st.session_state["uploader_number"] = st.session_state.get("uploader_number", 0) + 1


def uploader_key() -> str:
    """The key of the uploader; another one after all photos were forgotten, since its files cannot be removed."""
    number = st.session_state.get("uploader_number", 0)
    return f"uploads-{number}" if number else "uploads"


def choose_photo(photo: Photo) -> None:
    """Show this photo, with its faces detected again."""
    st.session_state["photo"] = st.session_state["photo_pills"] = photo.digest
    st.session_state.pop("whole_image", None)


def chosen_photo() -> Photo | None:
    """The photo on the screen; the last one if the chosen one is gone."""
    stored = _stored()
    return stored.get(st.session_state.get("photo", "")) or (list(stored.values())[-1] if stored else None)


def removed_faces(digest: str, detector: str) -> set[int]:
    """Indices of the detector's faces of a photo that somebody marked as not a face."""
    marked: dict[tuple[str, str], set[int]] = st.session_state.setdefault("not_faces", {})
    return marked.setdefault((digest, detector), set())


def _stored() -> dict[str, Photo]:
    stored: dict[str, Photo] = st.session_state.setdefault("photos", {})
    return stored


def _removed() -> dict[str, tuple[str, str]]:
    """Name and file id of the photos that were removed because there were too many, by digest."""
    removed: dict[str, tuple[str, str]] = st.session_state.setdefault("removed_photos", {})
    return removed
