"""The page on small trained networks: the sample, uploads, and files that are not videos."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.video import VideoJob
from core.video.sample_clip import TITLE
from dashboard.ui.session import ANNOTATED_VIDEO, OF_FILES, VIDEO, VIDEO_SOURCE
from tests.dashboard.conftest import ENTRY


@pytest.fixture
def open_video(networks) -> Callable[[], AppTest]:
    """The page, with small networks."""

    def opened() -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=120)
        app.run()  # at Overview
        app.query_params["video_fps"] = "2"
        app.query_params["detector"] = "mtcnn"
        app.switch_page("../pages/video.py").run()
        assert not app.exception, app.exception
        return app

    return opened


def finished(app: AppTest) -> AppTest:
    """The page after the analysis has ended."""
    video = app.session_state[VIDEO]
    video.job.wait(60)
    app.run()
    assert not app.exception, app.exception
    assert video.job.progress.state == "finished"
    return app


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def test_the_sample_is_analyzed_and_its_panels_are_shown(open_video, page_text):
    app = open_video()
    button(app, TITLE).click()
    app = finished(app.run())
    assert "sample.mp4" in page_text(app)
    assert "18 analyzed frames" in page_text(app)
    for panel in ("Transitions", "Moments", "Disagreement", "Share of time"):
        app.segmented_control(key="video_panel").set_value(panel).run()
        assert not app.exception, app.exception
    before = app.slider(key="video_time").value
    app.button(key="video_step1").click().run()
    assert app.slider(key="video_time").value > before
    app.slider(key="video_smoothing").set_value(1.0).run()
    assert "Ensemble, smoothed with a time constant of 1 s" in page_text(app)
    assert "video with boxes contain the chosen part, smoothed with a time constant of 1 s. The" in page_text(app)
    app.slider(key="video_smoothing").set_value(0.0).run()
    assert "video with boxes contain the chosen part. The expressions in the video are predicted by " in page_text(app)
    button(app, "Analyze this frame").click().run()
    assert not app.exception, app.exception
    assert app.title[0].value == "Analyze"


def test_a_stopped_analysis_continues(open_video, page_text, monkeypatch):
    app = open_video()
    start = VideoJob.start
    with monkeypatch.context() as patch:
        patch.setattr(VideoJob, "start", lambda job: (job.stop(), start(job)))  # it ends after the first frames
        button(app, TITLE).click()
        app.run()
    first = app.session_state[VIDEO]
    first.job.wait(60)
    app.run()
    assert first.job.progress.state == "stopped"
    kept = first.job.progress.frames
    assert 1 <= kept < 18
    button(app, "Continue").click().run()
    app = finished(app)
    second = app.session_state[VIDEO]
    assert second.job.progress.frames == 18
    assert second.job.timeline().frame_times_s[:kept].tolist() == first.job.timeline().frame_times_s.tolist()
    assert f"18 frames analyzed, the last {18 - kept} in" in page_text(app)


def test_changed_settings_are_offered_and_not_applied_by_themselves(open_video, page_text):
    app = open_video()
    button(app, TITLE).click()
    app = finished(app.run())
    first = app.session_state[VIDEO]
    app.slider(key="video_fps").set_value(1.0).run()
    assert app.session_state[VIDEO] is first
    app.segmented_control(key="video_panel").set_value("Disagreement").run()
    assert not app.exception, app.exception
    shown = app.selectbox(key="video_shown").options
    for chosen in (["tiny_cnn"], []):  # the results keep the networks of the analysis
        app.button_group(key="networks").set_value(chosen).run()
        assert not app.exception, app.exception
        assert app.selectbox(key="video_shown").options == shown == ["Ensemble", "Residual CNN", "CNN"]
        assert not app.error
    assert "Choose at least one network" in page_text(app)
    app.button_group(key="networks").set_value(["tiny_cnn", "tiny_residual"]).run()
    button(app, "Analyze with these settings").click().run()
    second = app.session_state[VIDEO]
    assert second is not first
    second.job.wait(60)
    assert second.job.progress.frames == 9
    app.run()
    button(app, "Forget this video").click().run()
    assert not app.exception, app.exception
    assert VIDEO not in app.session_state


def test_forgetting_all_photos_also_forgets_the_video_and_its_annotated_copy(open_video, labeled, page_text):
    app = open_video()
    button(app, TITLE).click()
    app = finished(app.run())
    labeled(app.slider, "Part of the video (s)").set_value((0.0, 1.0)).run()
    button(app, "Create the video with boxes and expressions (mp4)").click().run()
    assert VIDEO in app.session_state
    assert ANNOTATED_VIDEO in app.session_state
    app.segmented_control(key="video_panel").set_value("Moments").run()  # it stays available
    assert "Video with boxes and expressions (mp4)" in [b.label for b in app.get("download_button")]
    app.selectbox(key="video_shown").set_value("tiny_cnn").run()  # another prediction is another video
    assert "The expressions in the video are predicted by CNN." in page_text(app)
    assert "Video with boxes and expressions (mp4)" not in [b.label for b in app.get("download_button")]
    button(app, "Analyze this frame").click().run()
    button(app, "Forget all photos").click().run()
    assert not app.exception, app.exception
    assert [key for key in OF_FILES if key in app.session_state] == []


@pytest.mark.parametrize("data", [b"This is text." * 100, b""])
def test_a_file_that_is_not_a_video_is_refused_in_one_sentence(open_video, page_text, data):
    app = open_video()
    app.file_uploader(key="video_upload").upload("clip.mp4", data or b" ")
    app.run()
    assert not app.exception, app.exception
    assert len(app.error) == 1
    assert "clip.mp4" in app.error[0].value
    assert VIDEO_SOURCE not in app.session_state  # no setting makes it readable


def test_the_analysis_stops_when_the_session_forgets_the_video(open_video):
    app = open_video()
    app.slider(key="video_fps").set_value(30.0).run()
    button(app, TITLE).click()
    app.run()
    job = app.session_state[VIDEO].job
    assert job.progress.state == "running"
    del app.session_state[VIDEO]
    del app
    gc.collect()
    job.wait(30)
    assert job.progress.state == "stopped"


def test_settings_that_cannot_be_used_keep_the_finished_analysis(open_video, page_text):
    app = open_video()
    button(app, TITLE).click()
    app = finished(app.run())
    first = app.session_state[VIDEO]
    app.number_input(key="video_start").set_value(20.0).run()
    button(app, "Analyze with these settings").click().run()
    assert "choose an earlier start" in " ".join(e.value for e in app.error)
    assert app.session_state[VIDEO] is first
    assert "18 analyzed frames" in page_text(app)


def test_a_video_that_cannot_be_started_is_started_with_other_settings(open_video):
    app = open_video()
    app.number_input(key="video_start").set_value(20.0).run()
    button(app, TITLE).click().run()
    assert "choose an earlier start" in " ".join(e.value for e in app.error)
    assert VIDEO not in app.session_state
    app.number_input(key="video_start").set_value(0.0).run()
    assert not app.error
    finished(app)
