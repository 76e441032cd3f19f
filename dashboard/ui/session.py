"""What a session keeps: the photos a person brought. All else lives in widgets, bound to the URL or the session."""

from __future__ import annotations

import streamlit as st

from dashboard.services import Photo

# A session holds its photos in memory; a person compares a handful, and a server has many sessions.
MAX_PHOTOS = 24
NAMED = 8  # in a sentence


def photos() -> list[Photo]:
    """The session's photos, oldest first."""
    return list(st.session_state.setdefault("photos", {}).values())


def add_photo(photo: Photo) -> None:
    """Keep a photo and choose it; the oldest one leaves when there are too many, which is remembered."""
    kept: dict[str, Photo] = st.session_state.setdefault("photos", {})
    kept.pop(photo.digest, None)
    _left().pop(photo.digest, None)
    kept[photo.digest] = photo
    while len(kept) > MAX_PHOTOS:
        oldest = kept.pop(next(iter(kept)))
        _left()[oldest.digest] = oldest.name, oldest.file_id
    choose_photo(photo)


def too_many() -> str | None:
    """A sentence where photos had to leave: how many are kept, which are not, and what to do."""
    names = [name for name, _ in reversed(_left().values())]  # as they stand in the uploader: the last added are first
    if not names:
        return None
    kept = len(photos())
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"{kept} of {kept + len(names)} photos are kept, those that can be chosen below; a session holds {MAX_PHOTOS}. "
        f"Not kept: {', '.join(names[:NAMED])}{more}. To look at those, forget photos and bring these again."
    )


def _left() -> dict[str, tuple[str, str]]:
    """Name and file id of the photos that left because there were too many, by digest."""
    left: dict[str, tuple[str, str]] = st.session_state.setdefault("left_photos", {})
    return left


def drop_uploads(file_ids: set[str]) -> None:
    """Forget uploads that were taken off the uploader's list, and what was said of them."""
    kept: dict[str, Photo] = st.session_state.setdefault("photos", {})
    for digest in [d for d, p in kept.items() if p.file_id in file_ids]:
        kept.pop(digest)
    for file_id in file_ids:
        refused().pop(file_id, None)
    for digest in [d for d, (_, file_id) in _left().items() if file_id in file_ids]:
        _left().pop(digest)
    if st.session_state.get("photo_pills") not in kept:
        st.session_state.pop("photo_pills", None)


def refuse(photo: Photo, reason: str) -> None:
    """Remember why an upload is not among the photos, until it is taken off the uploader's list."""
    refused()[photo.file_id] = f"{photo.name}: {reason}"


def refused() -> dict[str, str]:
    """One sentence for each upload that is no photo, by the uploader's key of the file."""
    sentences: dict[str, str] = st.session_state.setdefault("refused", {})
    return sentences


def clear_photos() -> None:
    """Forget every photo."""
    st.session_state["photos"] = {}
    st.session_state["refused"] = {}
    st.session_state["left_photos"] = {}
    st.session_state.pop("photo_pills", None)


def choose_photo(photo: Photo) -> None:
    """Show this photo, with its faces looked for again."""
    st.session_state["photo"] = st.session_state["photo_pills"] = photo.digest
    st.session_state.pop("whole_image", None)


def chosen_photo() -> Photo | None:
    """The photo on the screen; the last one where the chosen one is gone."""
    kept: dict[str, Photo] = st.session_state.setdefault("photos", {})
    chosen = kept.get(st.session_state.get("photo", ""))
    return chosen or (list(kept.values())[-1] if kept else None)
