"""Several photos: a gallery of their faces, opened, sorted, and two side by side."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.faces import Box, Detector, Face
from core.runtime import Runtime
from core.sample_photos import sample_photos
from dashboard.analyze import gallery
from dashboard.services import photos
from dashboard.ui import session


@pytest.fixture
def opened(networks, open_analyze):
    """Analyze with the named portraits or walls uploaded."""

    def make(*photos: str, **link: str) -> AppTest:
        samples = sample_photos()
        files = {f"{name}.jpg": samples[name].data if name in samples else wall(name) for name in photos}
        return open_analyze(files, **link)

    return make


def wall(name: str) -> bytes:
    """A picture without a face, different for each name."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((120, 160, 3), 20 * len(name), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def cards(app) -> list[str]:
    return [b.label for b in app.button if b.key and b.key.startswith("open-")]


def test_one_photo_with_one_face_has_no_gallery(opened):
    app = opened("grace_hopper")
    assert not [c for c in app.segmented_control if c.key in ("show", "gallery_order")]


def test_all_faces_of_all_photos_are_shown_and_sorted(opened, page_text):
    app = opened("grace_hopper", "two_faces", "wall", show="All faces")
    assert "3 faces in 2 photos. No face found: wall.jpg. Probabilities of the ensemble" in page_text(app)
    assert "two_faces.jpg, face 2" in page_text(app)
    assert len(cards(app)) == 3
    app.segmented_control(key="gallery_order").set_value("confidence").run()
    confidences = [float(label.split()[0]) for label in cards(app)]
    assert confidences == sorted(confidences, reverse=True)
    app.segmented_control(key="gallery_order").set_value("disagreement").run()
    bits = [float(found[1]) for c in app.caption if (found := re.match(r"disagreement ([\d.]+) bits", c.value))]
    assert len(bits) == 3
    assert bits == sorted(bits, reverse=True)


def test_a_click_opens_that_face(opened, page_text):
    app = opened("grace_hopper", "two_faces", show="All faces")
    second = next(b for b in app.button if b.key and b.key.startswith("open-") and "two_faces.jpg, face 2" in b.help)
    second.click().run()
    assert not app.exception
    assert app.segmented_control(key="show").value == "One face"
    assert "Face 2 of 2" in page_text(app)
    assert "two_faces.jpg" in page_text(app)


def test_two_selected_faces_are_side_by_side_and_a_third_replaces_the_first(opened, page_text):
    app = opened("grace_hopper", "two_faces", show="All faces")
    assert "Select *Compare* below two faces" in page_text(app)
    where = [b.help.removeprefix("Open ") for b in app.button if b.key and b.key.startswith("open-")]
    assert sorted(where) == ["grace_hopper.jpg, face 1", "two_faces.jpg, face 1", "two_faces.jpg, face 2"]
    app.checkbox[0].check().run()
    assert "Select *Compare* below one more face" in page_text(app)
    app.checkbox[1].check().run()
    assert not app.exception
    assert f"Hollow: {where[0]}. Filled: {where[1]}." in page_text(app)
    app.checkbox[2].check().run()
    assert f"Hollow: {where[1]}. Filled: {where[2]}." in page_text(app)
    assert [c.value for c in app.checkbox] == [False, True, True]
    app.selectbox(key="pair-class").set_value("dark").run()
    assert page_text(app).count("evidence for dark") == 2


@pytest.fixture
def compared(opened, page_text):
    """All faces of a photo with two faces, compared, and of another photo."""
    app = opened("two_faces", "grace_hopper", show="All faces", detector="Haar cascade")
    for checkbox in [c for c in app.checkbox if c.key.startswith("pair-")][:2]:
        checkbox.check().run()
    assert "Hollow: two_faces.jpg, face 1. Filled: two_faces.jpg, face 2" in page_text(app)
    return app


@pytest.mark.parametrize("button", ["Not a face", "Restore 1 removed detection"])
def test_faces_whose_numbers_change_are_no_longer_compared(compared, page_text, labeled, button):
    show(compared, "One face")
    labeled(compared.button, "two_faces.jpg").click().run()
    labeled(compared.button, "Not a face").click().run()
    show(compared, "All faces")
    assert "Select *Compare* below two faces" in page_text(compared)
    if button == "Not a face":
        return
    for checkbox in compared.checkbox:
        checkbox.check().run()
    assert "Side by side" in page_text(compared)
    show(compared, "One face")
    labeled(compared.button, button).click().run()
    show(compared, "All faces")
    assert "Select *Compare* below one more face" in page_text(compared)


def test_faces_of_another_detector_are_not_compared(compared, page_text):
    compared.selectbox(key="detector").set_value("mtcnn").run()
    assert not compared.exception
    assert "Select *Compare* below two faces" in page_text(compared)
    compared.selectbox(key="detector").set_value("haar").run()
    assert "Side by side" in page_text(compared)


def test_two_faces_of_one_photo_can_be_compared(opened, page_text):
    app = opened("two_faces", show="All faces")
    assert "2 faces in 1 photo." in page_text(app)


def test_the_gallery_has_pages(opened, page_text, monkeypatch):
    monkeypatch.setattr(gallery, "PAGE_SIZE", 2)
    app = opened("grace_hopper", "two_faces", show="All faces")
    assert len(cards(app)) == 2
    app.session_state["gallery-page-2"] = 2
    app.run()
    assert not app.exception
    assert len(cards(app)) == 1


def test_photos_without_a_face_are_reported_with_the_remedy(opened, page_text):
    app = opened("wall", "floor", show="All faces")
    assert "No face was found in any photo" in page_text(app)


def show(app: AppTest, layout: str) -> AppTest:
    app.segmented_control(key="show").set_value(layout).run()
    assert not app.exception, app.exception
    return app


def test_a_photo_that_is_analyzed_as_a_whole_stays_so_in_every_view(opened, page_text, labeled):
    app = opened("wall", "grace_hopper", show="All faces")
    assert "No face found: wall.jpg." in page_text(app)
    show(app, "One face")
    labeled(app.button, "Analyze the whole image").click().run()
    show(app, "All faces")
    assert "2 faces in 2 photos." in page_text(app)
    assert "wall.jpg, whole image" in page_text(app)
    next(b for b in app.button if b.help == "Open wall.jpg, whole image").click().run()
    assert not app.exception, app.exception
    assert "detector: whole image" in page_text(app)
    labeled(app.button, "grace_hopper.jpg").click().run()
    labeled(app.button, "wall.jpg").click().run()
    assert "detector: whole image" in page_text(app)


def test_several_photos_can_be_analyzed_as_a_whole(opened, page_text, labeled):
    app = opened("wall", "floor!")
    labeled(app.button, "Analyze the whole image").click().run()
    labeled(app.button, "floor!.jpg").click().run()
    labeled(app.button, "Analyze the whole image").click().run()
    show(app, "All faces")
    assert "2 faces in 2 photos." in page_text(app)


def test_photos_that_are_too_many_are_named_with_what_to_do(opened, page_text, monkeypatch, labeled):
    monkeypatch.setattr(photos, "MAX_PHOTOS", 2)
    app = opened("wall", "floor!", "ceiling", "grace_hopper")
    message = (
        "Only 2 of 4 photos can be shown, because a session holds at most 2. Removed: ceiling.jpg, grace_hopper.jpg."
    )
    assert message in page_text(app)
    assert [b.label for b in app.button if b.key and b.key.startswith("show-")] == ["wall.jpg", "floor!.jpg"]
    app.segmented_control(key="show").set_value("All faces").run()
    assert message in page_text(app)
    labeled(app.button, "Forget all photos").click().run()
    assert "Removed:" not in page_text(app)


def test_files_that_are_taken_off_the_uploader_are_no_longer_named(opened, page_text, monkeypatch):
    monkeypatch.setattr(photos, "MAX_PHOTOS", 2)
    app = opened("wall", "floor!", "ceiling")
    assert "Removed: ceiling.jpg." in page_text(app)
    app.file_uploader(key="uploads").upload("again.jpg", wall("ceiling")).run()  # replaces the three
    assert not app.exception
    assert [photo.name for photo in app.session_state["photo_store"].photos] == ["again.jpg"]
    assert "Removed:" not in page_text(app)


def test_a_long_list_of_photos_is_shortened(opened, page_text, monkeypatch):
    monkeypatch.setattr(photos, "MAX_PHOTOS", 1)
    monkeypatch.setattr(session, "MAX_NAMED", 2)
    assert "Removed: bb.jpg, ccc.jpg and 2 more." in page_text(opened("a", "bb", "ccc", "dddd", "eeeee"))


def test_photos_are_in_the_order_in_which_they_were_added(opened):
    app = opened("wall", "floor!")
    uploader = app.file_uploader(key="uploads")
    for name in ("wall", "floor!", "grace_hopper", "two_faces"):  # the list of the uploader grows
        uploader.upload(f"{name}.jpg", wall(name))
    app.run()
    shown = [b.label for b in app.button if b.key and b.key.startswith("show-")]
    assert shown == ["wall.jpg", "floor!.jpg", "grace_hopper.jpg", "two_faces.jpg"]


class FindsTwo(Detector):
    """Finds a face of 12 px and one of 200 px in every photo."""

    name = "haar"

    def _load(self):
        return None

    def _find(self, view, _):
        scale = len(view) / 600
        return [Face(Box(4.0, 4.0, 12 * scale, 12 * scale), 0.9), Face(Box(99.0, 50.0, 200 * scale, 200 * scale), 0.8)]


def test_a_face_below_16_px_is_warned_of_in_the_gallery_and_side_by_side(opened, page_text, monkeypatch):
    monkeypatch.setattr(Runtime, "detector", lambda *_: FindsTwo(min_score=0.5))
    app = opened("grace_hopper", show="All faces")
    assert "Predictions are unreliable for faces narrower than 16 px: grace_hopper.jpg, face 2." in page_text(app)
    assert page_text(app).count("only 12 px wide") == 1
    app.checkbox[0].check().run()
    app.checkbox[1].check().run()
    assert not app.exception
    assert page_text(app).count("This face is only 12 px wide. Below 16 px, predictions are unreliable") == 1
    assert page_text(app).count("px wide. Below") == 1
