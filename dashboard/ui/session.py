"""The photos of the session: which one is shown, which are rotated or analyzed as a whole, which uploads were refused,
which detections are not faces."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.faces import Box
from dashboard import services
from dashboard.services import Photo
from dashboard.ui.messages import show_error

MAX_NAMED = 8  # names in one sentence
# What Folder and Video keep in the session state: the batch, the video, the name and the bytes of a video that is not
# analyzed yet, and the request and the bytes of the last annotated video.
BATCH, VIDEO, VIDEO_SOURCE, ANNOTATED_VIDEO = OF_FILES = (
    "folder_batch",
    "session_video",
    "video_source",
    "video_annotated",
)

ComparedFace = tuple[str, str, int]  # digest of the photo, the detector, and the index of the face


def photos() -> list[Photo]:
    """The session's photos, oldest first."""
    return list(services.photo_store().photos)


def add_photo(photo: Photo, *more: Photo) -> None:
    """Add a photo and show it, and add more after it; the oldest ones are removed when there are too many."""
    services.photo_store().add(photo, *more)
    choose_photo(photo)
    st.session_state["photo_added"] = True


def photo_was_added() -> bool:
    """Whether a photo was added since the last call; the pages then show Analyze."""
    return bool(st.session_state.pop("photo_added", False))


def too_many() -> str | None:
    """A sentence if photos had to be removed: how many are left, which are not, and what to do."""
    store = services.photo_store()
    removed = [photo.name for photo in reversed(store.removed)]  # in the order of the uploader's list
    if not removed:
        return None
    count = len(store.photos)
    more = f" and {len(removed) - MAX_NAMED} more" if len(removed) > MAX_NAMED else ""
    return (
        f"Only {count} of {count + len(removed)} photos can be shown, because a session holds at most "
        f"{store.max_photos}. Removed: {', '.join(removed[:MAX_NAMED])}{more}. "
        "To see the removed photos, forget all photos and add them again."
    )


def remove_uploads(file_ids: set[str]) -> None:
    """Remove uploads that were taken off the uploader's list."""
    services.photo_store().remove_uploads(file_ids)


def refuse(photo: Photo, reason: str) -> None:
    """Remember why a file is not among the photos, until :func:`draw_refused` reports it."""
    st.session_state.setdefault("refused", []).append(f"{photo.name}: {reason}.")


def draw_refused() -> None:
    """Report, once, the files that are not readable photos."""
    for sentence in st.session_state.pop("refused", []):
        show_error(sentence, icon="broken_image")


def clear_photos() -> None:
    """Remove every photo, video and batch, everything computed from them, and the files that Streamlit holds for the
    uploaders."""
    services.photo_store().clear()
    _delete_uploads()
    st.session_state.pop("refused", None)
    # A widget with another key begins without files.
    st.session_state["source_widgets"] = st.session_state.get("source_widgets", 0) + 1
    of_photos = ("photo", "pair", "uploader_ids", "whole_images", "not_faces", "rotations_deg", "snapshot_taken")
    for key in (*of_photos, *OF_FILES):
        st.session_state.pop(key, None)


def delete_upload(file: UploadedFile | None) -> None:
    """Remove a file that Streamlit holds for an uploader; None is ignored."""
    context = get_script_run_ctx()
    if context is not None and file is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def clear_snapshot() -> None:
    """Open the camera again."""
    st.session_state.pop("snapshot_taken", None)


def widget_key(name: str) -> str:
    """The key of the uploader or the camera; another one after all photos were removed."""
    number = st.session_state.get("source_widgets", 0)
    return f"{name}-{number}" if number else name


def choose_photo(photo: Photo) -> None:
    """Show this photo."""
    st.session_state["photo"] = photo.digest


def chosen_photo() -> Photo | None:
    """The photo that is shown; the newest one if the chosen one was removed."""
    chosen = services.photo_store().get(st.session_state.get("photo", ""))
    return chosen or next(reversed(photos()), None)


def removed_faces(digest: str, detector: str) -> tuple[Box, ...]:
    """Detections of a photo by a detector that were marked as not a face."""
    return tuple(_not_faces(digest).get(detector, ()))


def remove_face(digest: str, detector: str, box: Box) -> None:
    """Mark a detection as not a face; the other faces of the photo get other numbers."""
    _not_faces(digest).setdefault(detector, []).append(box)
    _forget_pair(digest)


def restore_faces(digest: str, detector: str) -> None:
    """Bring back the detections of a photo by a detector that were marked as not a face."""
    _not_faces(digest).pop(detector, None)
    _forget_pair(digest)


def pair() -> list[ComparedFace]:
    """The faces that were chosen to be compared, at most two."""
    faces: list[ComparedFace] = st.session_state.setdefault("pair", [])
    return faces


def _forget_pair(digest: str) -> None:
    """Compare no face of a photo whose faces get other numbers."""
    pair()[:] = [face for face in pair() if face[0] != digest]


def is_whole_image(digest: str) -> bool:
    """Whether a photo is analyzed as one face, without detection."""
    return digest in _whole_images()


def use_whole_image(digest: str, *, on: bool = True) -> None:
    """Analyze a photo as one face, or detect its faces; what was chosen among its previous faces is forgotten."""
    if on:
        _whole_images().add(digest)
    else:
        _whole_images().discard(digest)
    _not_faces(digest).clear()
    _forget_pair(digest)


def rotation_deg(digest: str) -> int | None:
    """By how much the user rotated a photo clockwise; None if its rotation is found automatically."""
    degrees: int | None = _rotations_deg().get(digest)
    return degrees


def rotate(digest: str, degrees_clockwise: int) -> None:
    """Show a photo with this rotation and its faces detected again."""
    _rotations_deg()[digest] = degrees_clockwise % 360
    use_whole_image(digest, on=False)


def rotate_automatically(digest: str) -> None:
    """Forget the rotation by the user."""
    _rotations_deg().pop(digest, None)


def _not_faces(digest: str) -> dict[str, list[Box]]:
    """The detections of a photo that were marked as not a face, by detector."""
    boxes: dict[str, dict[str, list[Box]]] = st.session_state.setdefault("not_faces", {})
    return boxes.setdefault(digest, {})


def _whole_images() -> set[str]:
    digests: set[str] = st.session_state.setdefault("whole_images", set())
    return digests


def _rotations_deg() -> dict[str, int]:
    rotations: dict[str, int] = st.session_state.setdefault("rotations_deg", {})
    return rotations


def _delete_uploads() -> None:
    """Streamlit itself holds uploaded files until the session ends, also those of widgets that are gone."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
