"""The page of Analyze through the entry file, on networks that were trained on generated pictures."""

import io
import json
import re
import shutil

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.faces import Box, Detector, Face
from core.images import SUFFIXES, decode, rotated
from core.inference import PhotoAnalysis, analysis
from core.probes import uncertainty as probe
from core.sample_photos import sample_photos
from dashboard import services
from tests.wrapped_tables import wrapped_tables

PORTRAIT = sample_photos()["grace_hopper"].data


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


WALL = png(np.full((120, 160, 3), 140, np.uint8))


class FindsOneAt(Detector):
    """Finds one face of a given size in every photo."""

    name = "haar"

    def __init__(self, side_px: float, sure_score: float = 0.0) -> None:
        super().__init__(min_score=0.5)
        self.side_px, self.sure_score = side_px, sure_score

    def _load(self):
        return None

    def _find(self, view, _):
        side = self.side_px * len(view) / 600
        return [Face(Box(4.0, 4.0, side, side), score=0.9)]


def alts(app: AppTest) -> list[str]:
    """The alternative texts of all pictures."""
    return [image.proto.imgs[0].alt for image in app.get("image")]


def shown_sizes(text: str) -> list[int]:
    """Width and height in px that the caption states."""
    return [int(number) for number in re.search(r"(\d+) × (\d+) px", text).groups()]


def test_the_headline_shows_the_uncertainty(networks, open_analyze, monkeypatch):
    monkeypatch.setattr(probe, "threshold_for", lambda *_: 0.1)
    sure = open_analyze().header[0]
    assert sure.value.endswith(", sure")
    assert "reaches" in sure.proto.help
    monkeypatch.setattr(probe, "threshold_for", lambda *_: 1.1)
    unsure = open_analyze().header[0]
    assert unsure.value.startswith(":gray[")
    assert unsure.value.endswith(", unsure]")
    assert "is below" in unsure.proto.help


def test_without_a_threshold_the_headline_is_neither_sure_nor_unsure(networks, open_analyze, monkeypatch):
    from core.checkpoints import Checkpoint
    from core.errors import CheckpointError

    def missing(self, split):
        raise CheckpointError(f"{self.card.run_id} has no stored predictions for the {split} split")

    monkeypatch.setattr(Checkpoint, "evaluation", missing)
    headline = open_analyze().header[0]
    assert "sure" not in headline.value
    assert "no stored predictions for the val split" in headline.proto.help


def test_temperature_scaling_is_explained(networks, open_analyze, labeled):
    caption = next(c for c in open_analyze().caption if "after temperature scaling" in c.value)
    assert "divides the logits" in caption.proto.help


def test_the_maps_are_next_to_the_prediction_in_every_panel(networks, open_analyze, labeled):
    app = open_analyze(panel="Report")
    assert labeled(app.segmented_control, "Evidence for the class")
    assert [alt for alt in alts(app) if alt.startswith("Saliency of")]


def test_the_view_of_the_faces_names_the_detector_and_counts_correctly(networks, open_analyze, page_text):
    app = open_analyze()
    photo, *_watchers = app.get("bidi_component")
    shown = json.loads(photo.proto.json)
    assert shown["alt"] == "photo.jpg with 1 face in boxes"
    assert not shown["clickable"]
    title = services.DETECTORS[services.detector("auto").name]
    assert f"detector: {title} ·" in page_text(app)


def test_a_photo_without_a_face_offers_the_whole_image_first(networks, open_analyze, page_text, labeled):
    app = open_analyze({"wall.png": WALL})
    assert "found no face" in app.info[0].value
    assert "wall.png, no face found" in alts(app)
    labeled(app.button, "Analyze the whole image").click().run()
    assert not app.exception
    assert "detector: whole image" in page_text(app)
    assert "Whole image · " in page_text(app)
    assert "Face 1" not in page_text(app)
    assert not [b for b in app.button if b.label == "Not a face"]


def test_faces_can_be_detected_again_in_a_photo_that_is_analyzed_as_a_whole(networks, open_analyze, page_text, labeled):
    app = open_analyze("two_faces")
    for _ in range(2):
        labeled(app.button, "Not a face").click().run()
    labeled(app.button, "Analyze the whole image").click().run()
    assert "Whole image · " in page_text(app)
    labeled(app.button, "Detect faces").click().run()
    assert not app.exception
    assert "Face 1 of 2" in page_text(app)
    assert "Detect faces" not in [b.label for b in app.button]


def test_a_detection_can_be_removed_and_restored(networks, open_analyze, page_text, labeled):
    app = open_analyze("two_faces")
    first = app.segmented_control(key=labeled(app.segmented_control, "Face").key).options
    labeled(app.button, "Not a face").click().run()
    assert not app.exception
    assert "Face 1 of 1" in page_text(app)
    labeled(app.button, "Not a face").click().run()
    assert "All detections were removed." in page_text(app)
    labeled(app.button, "Restore 2 removed detections").click().run()
    assert "Face 1 of 2" in page_text(app)
    assert labeled(app.segmented_control, "Face").options == first


def test_restoring_detections_keeps_the_face_that_is_shown(networks, open_analyze, page_text, labeled):
    app = open_analyze("two_faces")
    labeled(app.button, "Not a face").click().run()
    second = wrapped_tables(app)[0].values.tolist()
    labeled(app.button, "Restore 1 removed detection").click().run()
    assert not app.exception
    assert "Face 2 of 2" in page_text(app)
    assert wrapped_tables(app)[0].values.tolist() == second
    assert labeled(app.segmented_control, "Face").value == 1


def test_a_removed_detection_counts_only_for_its_detector(networks, open_analyze, page_text, labeled):
    portrait = Image.fromarray(decode(PORTRAIT))
    tilted = np.asarray(portrait.rotate(25, expand=True))  # too far for Haar
    app = open_analyze({"tilted.png": png(tilted)}, detector="MTCNN")
    labeled(app.button, "Not a face").click().run()
    assert "All detections were removed. Restore them, or try another detector (YuNet" in page_text(app)
    app.selectbox(key="detector").set_value("haar").run()
    assert "The detector Haar cascade found no face. Try another detector (YuNet" in page_text(app)
    assert not [b for b in app.button if b.label.startswith("Restore")]
    app.selectbox(key="detector").set_value("mtcnn").run()
    labeled(app.button, "Restore 1 removed detection").click().run()
    assert "Face 1 of 1" in page_text(app)


def test_a_photo_is_rotated_by_90_degrees_per_click_and_its_faces_are_detected_again(
    networks, open_analyze, page_text, labeled
):
    app = open_analyze("two_faces")
    upright = shown_sizes(page_text(app))
    labeled(app.segmented_control, "Face").set_value(1).run()
    labeled(app.button, "Not a face").click().run()
    assert "Restore 1 removed detection" in [b.label for b in app.button]
    labeled(app.button, "Rotate").click().run()
    assert not app.exception
    assert "rotated by 90° clockwise" in page_text(app)
    assert "because its faces were sideways" not in page_text(app)
    assert shown_sizes(page_text(app)) == upright[::-1]
    assert not [b for b in app.button if b.label.startswith("Restore")]
    for _ in range(3):
        labeled(app.button, "Rotate").click().run()
        assert not app.exception
    assert "rotated by" not in page_text(app)
    assert shown_sizes(page_text(app)) == upright
    assert "Face 1 of 2" in page_text(app)


def test_a_sideways_photo_is_rotated_on_from_its_automatic_rotation(networks, open_analyze, page_text, labeled):
    app = open_analyze({"sideways.png": png(rotated(decode(PORTRAIT), 270))})
    assert "rotated by 90° clockwise, because its faces were sideways" in page_text(app)
    labeled(app.button, "Rotate").click().run()
    assert not app.exception
    assert "rotated by 180° clockwise" in page_text(app)


def test_a_photo_without_a_face_can_be_rotated_and_then_analyzed_as_a_whole(networks, open_analyze, page_text, labeled):
    app = open_analyze({"wall.png": WALL})
    assert "160 × 120 px" in page_text(app)
    labeled(app.button, "Rotate").click().run()
    assert not app.exception
    assert "120 × 160 px · detector" in page_text(app)
    labeled(app.button, "Analyze the whole image").click().run()
    assert "detector: whole image" in page_text(app)
    assert "rotated by 90° clockwise" in page_text(app)
    labeled(app.button, "Rotate").click().run()
    assert not app.exception
    assert "rotated by 180° clockwise" in page_text(app)
    assert "Analyze the whole image" in [b.label for b in app.button]


def test_forgetting_the_photos_forgets_their_rotation(networks, open_analyze, page_text, labeled):
    app = open_analyze({"wall.png": WALL})
    labeled(app.button, "Rotate").click().run()
    labeled(app.button, "Forget all photos").click().run()
    assert "rotations_deg" not in app.session_state


def test_maps_of_a_removed_detection_are_not_used_for_the_other_face(networks, open_analyze, labeled, show_panel):
    def predictions(app) -> list[float]:
        return wrapped_tables(app)[0].iloc[:, 1].astype(float).tolist()

    app = open_analyze("two_faces")
    labeled(app.segmented_control, "Face").set_value(1).run()
    second = predictions(app)
    labeled(app.segmented_control, "Face").set_value(0).run()
    assert predictions(app) != second
    labeled(app.button, "Not a face").click().run()
    assert predictions(app) == second


def test_a_removed_detection_is_no_longer_named_in_the_address(networks, open_analyze, labeled, page_text):
    app = open_analyze("two_faces")
    labeled(app.segmented_control, "Face").set_value(1).run()
    assert app.query_params["face"] in ("2", ["2"])
    labeled(app.button, "Not a face").click().run()
    assert "face" not in app.query_params
    assert "Face 1 of 1" in page_text(app)


def test_a_detector_that_cannot_be_loaded_is_replaced_and_reported(networks, open_analyze, page_text, monkeypatch):
    monkeypatch.setenv("FERSCOPE_YUNET", "/nowhere/yunet.onnx")
    app = open_analyze(detector=services.DETECTORS["yunet"])
    assert "/nowhere/yunet.onnx" in app.error[0].value
    assert "Using MTCNN instead." in app.error[0].value
    assert "detector: MTCNN" in page_text(app)


def test_forget_all_photos_also_with_one_photo_clears_the_uploader(networks, open_analyze, page_text, labeled):
    app = open_analyze()
    labeled(app.button, "Forget all photos").click().run()
    assert not app.exception
    assert "Or start with a portrait" in page_text(app)
    assert not app.file_uploader[0].value
    assert "own_photo" not in app.query_params
    assert not [b for b in app.button if b.label == "Forget all photos"]


def test_of_two_equal_uploads_one_can_be_removed(networks, open_analyze, page_text):
    app = open_analyze({"a.jpg": PORTRAIT, "b.jpg": PORTRAIT})
    store = app.session_state["photo_store"]
    first, _ = app.session_state["uploader_ids"]
    assert len(store.photos) == 1
    store.remove_uploads({first})
    app.run()
    assert len(store.photos) == 1
    assert "Face 1 of 1" in page_text(app)


def test_a_face_below_16_px_is_warned_of_and_every_panel_opens(
    networks, open_analyze, page_text, monkeypatch, show_panel
):
    monkeypatch.setattr(services.runtime(), "detector", lambda _: FindsOneAt(12))
    app = open_analyze()
    assert "This face is only 12 px wide. Below 16 px, predictions are unreliable." in page_text(app)
    for panel in ("Methods", "Regions", "What if", "Trust", "Uncertainty", "Report"):
        show_panel(app, panel)


def test_an_uncertain_detection_is_not_the_headline(networks, open_analyze, page_text, monkeypatch):
    monkeypatch.setattr(services.runtime(), "detector", lambda _: FindsOneAt(200, sure_score=0.95))
    app = open_analyze()
    assert [h.value for h in app.header] == [":gray[Uncertain detection]"]
    assert re.search(r"\d+ % \w+ · Face 1 of 1", page_text(app))
    assert "face 1 is an uncertain detection" in page_text(app)


def test_the_uploader_accepts_every_image_suffix_that_is_read(networks, open_analyze):
    (uploader,) = open_analyze("").file_uploader
    assert set(SUFFIXES) <= set(uploader.proto.type)
    assert ".heic" in SUFFIXES


def test_a_very_dark_photo_has_a_hint(networks, open_analyze, page_text):
    app = open_analyze({"dark.png": png(np.full((120, 160, 3), 4, np.uint8))})
    assert "This photo is very dark (mean gray level 4 of 255)" in page_text(app)


def test_a_broken_network_is_named_and_the_others_predict(networks, open_analyze, page_text, monkeypatch, tmp_path):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    (root / "tiny_cnn" / "weights.safetensors").write_bytes(b"damaged")
    (root / "downloaded").mkdir()
    (root / "downloaded" / "net.pth").write_bytes(b"weights")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_analyze()
    assert "tiny_cnn: weights.safetensors is not the file that its card describes" in app.error[0].value
    assert "downloaded: card.json is missing" in page_text(app)
    assert "Face 1 of 1" in page_text(app)


def test_the_analysis_is_shared_by_all_reruns(networks, open_analyze, monkeypatch):
    calls = []
    real = analysis.analyze

    def counted(*args, **options) -> PhotoAnalysis:
        calls.append(1)
        return real(*args, **options)

    import core.inference

    monkeypatch.setattr(core.inference, "analyze", counted)
    app = open_analyze()
    before = len(calls)
    assert before
    app.run()
    assert len(calls) == before


@pytest.mark.parametrize("source", ["Webcam", "File"])
def test_the_source_stays_open_next_to_the_photo(networks, open_analyze, page_text, source):
    app = open_analyze("")
    app.segmented_control(key="source").set_value(source).run()
    if source == "Webcam":
        app.camera_input(key="snapshot").upload("snapshot.jpg", PORTRAIT).run()
        assert "Webcam snapshot ·" in page_text(app)
    else:
        app.file_uploader(key="uploads").upload("p.jpg", PORTRAIT).run()
        assert "p.jpg ·" in page_text(app)
    assert not app.exception


def test_a_page_that_ends_early_follows_the_theme(networks, open_analyze, page_text):
    app = open_analyze(networks="")
    assert "Choose at least one network" in page_text(app)
    assert "ferscope_theme" in {component.proto.component_name for component in app.get("bidi_component")}
