"""Generated videos with real faces: changes, crossing people, cuts, and what remains after an interruption."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.errors import NotFiniteError, VideoError
from core.inference import analyze
from core.parallel import READ_AHEAD
from core.video import Frame, Sampling, VideoFile, VideoJob, VideoOptions, analyze_frames, annotation
from core.video.analysis import FRAMES_AHEAD
from core.video.annotation import write_annotated
from core.video.thumbnails import MAX_PICTURES, Thumbnails

EVERY_FRAME = VideoOptions(Sampling())


@pytest.fixture(scope="session")
def changing(heads, compose, write_video) -> bytes:
    """2 s at 10 frames per second: a bright face that is dark from 1 s on."""
    bright = np.clip(heads["grace_hopper"] * 1.3 + 30, 0, 255).astype(np.uint8)
    dark = (heads["grace_hopper"] * 0.5).astype(np.uint8)
    return write_video([compose((bright if i < 10 else dark, 160 + i, 120)) for i in range(20)])


def run(data: bytes, find, predictors, options: VideoOptions = EVERY_FRAME) -> VideoJob:
    video = VideoFile(data)
    job = VideoJob(video, video.info(), find, predictors, options)
    job.run()
    return job


@pytest.mark.parametrize("detect_every", [1, 5])
def test_a_face_that_changes_in_the_middle_changes_in_the_timeline_within_one_frame(
    changing, find, predictors, detect_every
):
    job = run(changing, find, predictors, VideoOptions(Sampling(), detect_every=detect_every))
    assert job.progress.state == "finished"
    timeline = job.timeline()
    assert timeline.track_numbers == (1,)
    assert len(timeline) >= 18  # a detector may miss a frame
    group = timeline.groups[0]
    dark = group.ensemble[:, group.labels.index("dark")]
    change_s = timeline.times_s[1 + np.diff(dark).argmax()]
    assert abs(change_s - 1.0) <= 0.1 + 1e-6
    assert dark[timeline.times_s >= 1.1].min() > dark[timeline.times_s < 0.95].max()


@pytest.mark.parametrize("detect_every", [1, 3])
def test_two_people_who_cross_keep_their_tracks(heads, compose, write_video, find, predictors, detect_every):
    left = [(60 + 9.0 * i, 110.0) for i in range(45)]
    right = [(460 - 9.0 * i, 130.0) for i in range(45)]
    pictures = [
        compose((heads["eileen_collins"], *b), (heads["grace_hopper"], *a), size=(520, 240))
        for a, b in zip(left, right, strict=True)
    ]
    options = VideoOptions(Sampling(), detect_every=detect_every)
    timeline = run(write_video(pictures, rate=15), find, predictors, options).timeline()
    tracks = {}
    for name, path in (("hopper", left), ("collins", right)):
        seen = []
        for row in range(len(timeline)):
            number = round(timeline.times_s[row] * 15)
            apart = abs(left[number][0] - right[number][0])
            x = timeline.box(row).center[0]
            if apart > 120 and abs(x - path[number][0]) < 40:
                seen.append(int(timeline.tracks[row]))
        assert len(seen) > 20
        tracks[name] = set(seen)
    assert sorted(map(sorted, tracks.values())) == [[1], [2]]


def test_a_cut_ends_the_tracks(heads, compose, find, predictors):
    first = compose((heads["grace_hopper"], 100, 120))
    first[200:], first[:200, 200:] = 20, 220
    second = compose((heads["eileen_collins"], 100, 120))
    second[200:], second[:200, 200:] = 220, 20
    frames = [Frame(i / 10, first if i < 7 else second) for i in range(14)]
    found = list(analyze_frames(frames, find, predictors, detect_every=5))
    assert [len(item.faces) for item in found] == [1] * 14
    assert [item.faces[0][0].track for item in found] == [1] * 7 + [2] * 7


def test_the_number_of_frames_that_are_held_does_not_grow(heads, compose, find, predictors):
    picture = compose((heads["grace_hopper"], 160, 120))
    taken = 0

    def frames() -> Iterator[Frame]:
        nonlocal taken
        for i in range(60):
            taken += 1
            yield Frame(i / 10, picture)

    for number, _ in enumerate(analyze_frames(frames(), find, predictors, detect_every=4)):
        assert taken - number <= 3 * 4 + FRAMES_AHEAD + 1


def test_a_video_without_any_face_has_frames_and_no_rows(compose, write_video, find, predictors):
    job = run(write_video([compose()] * 4), find, predictors)
    timeline = job.timeline()
    assert (len(timeline), len(timeline.frame_times_s)) == (0, 4)
    assert timeline.table().empty
    file = io.BytesIO()
    assert write_annotated(job.video, timeline, file) == 4


def test_fifty_faces_have_a_track_each(heads, compose, find, predictors):
    places = [(heads["eileen_collins"], 75 + 150 * (i % 10), 80 + 150 * (i // 10)) for i in range(50)]
    picture = compose(*places, size=(1500, 760))
    found = list(analyze_frames([Frame(i / 10, picture) for i in range(2)], find, predictors[:1], detect_every=2))
    assert all(len({tracked.track for tracked, _ in item.faces}) == len(item.faces) == 50 for item in found)
    assert {t.track for t, _ in found[0].faces} == {t.track for t, _ in found[1].faces}


def test_the_probabilities_are_those_of_the_same_frames_as_photos(changing, find, predictors):
    frames = list(VideoFile(changing).frames())
    for item in analyze_frames(frames, find, predictors, detect_every=1):
        photo = analyze(item.frame.image, find, predictors)
        assert len(photo.faces) == len(item.faces)
        for alone, (_, face) in zip(photo.faces, item.faces, strict=True):
            for model_id, prediction in alone.predictions.items():
                assert np.allclose(prediction.probabilities, face.predictions[model_id].probabilities, atol=1e-5)


def test_no_thread_is_left_when_the_iterator_is_closed_or_fails(changing, find, predictors):
    found = analyze_frames(VideoFile(changing).frames(), find, predictors)
    next(found)
    found.close()
    with pytest.raises(NotFiniteError):
        list(analyze_frames(VideoFile(changing).frames(), find, [NoPrediction(predictors[0])]))
    assert not [thread for thread in threading.enumerate() if thread.name == READ_AHEAD]


def test_a_stop_keeps_what_was_computed(changing, find, predictors):
    video = VideoFile(changing)
    job = VideoJob(video, video.info(), find, predictors, EVERY_FRAME)
    job.stop()
    job.start()
    job.wait(60)
    assert job.progress.state == "stopped"
    assert 1 <= len(job.timeline()) < 20
    assert job.timeline() is job.timeline()


def test_a_stopped_analysis_is_continued_with_the_same_frames_and_tracks(changing, find, predictors):
    options = VideoOptions(Sampling(per_second=5), detect_every=2)
    whole = run(changing, find, predictors, options).timeline()
    video = VideoFile(changing)
    first = VideoJob(video, video.info(), find, predictors, options)
    first.stop()
    first.run()
    assert 1 <= first.progress.frames < 10
    rest = VideoJob(video, video.info(), find, predictors, options, before=first.timeline())
    assert rest.progress.frames == first.progress.frames
    rest.run()
    assert rest.progress.state == "finished"
    timeline = rest.timeline()
    assert timeline.frame_times_s.tolist() == whole.frame_times_s.tolist()
    assert timeline.track_numbers == whole.track_numbers == (1,)
    kept = len(first.timeline())
    assert np.array_equal(timeline.groups[0].probabilities[:, :kept], first.timeline().groups[0].probabilities)


def test_an_analysis_of_a_video_that_is_scaled_keeps_its_tracks_when_it_is_continued(
    heads, compose, write_video, find, predictors
):
    head = np.kron(heads["grace_hopper"], np.ones((3, 3, 1), np.uint8))
    data = write_video([compose((head, 2500 + 4 * i, 500), size=(2880, 1000)) for i in range(6)])
    first = run(data, find, predictors[:1], VideoOptions(Sampling(), end_s=0.25))
    assert first.info.frame_scale == 1.5
    rest = VideoJob(first.video, first.info, find, predictors[:1], EVERY_FRAME, before=first.timeline())
    rest.run()
    assert rest.timeline().tracks.tolist() == [1] * 6


def test_an_analysis_is_continued_by_the_same_networks_only(changing, find, predictors):
    job = run(changing, find, predictors[:1], VideoOptions(end_s=0.5))
    with pytest.raises(VideoError, match=f"made by {predictors[0].model_id}, not by"):
        VideoJob(job.video, job.info, find, predictors, EVERY_FRAME, before=job.timeline())


class NoPrediction:
    """A network of which every prediction after the first batch is NaN."""

    def __init__(self, predictor) -> None:
        self._predictor, self._calls = predictor, 0

    def __getattr__(self, name: str):
        return getattr(self._predictor, name)

    def for_background(self):
        return self

    def predict_inputs(self, images, **options):
        self._calls += 1
        if self._calls > 1:
            raise NotFiniteError(self._predictor.model_id)
        return self._predictor.predict_inputs(images, **options)


def test_an_error_keeps_what_was_computed(changing, find, predictors):
    job = run(changing, find, [NoPrediction(predictors[0])])
    assert job.progress.state == "failed"
    assert isinstance(job.error, NotFiniteError)
    assert len(job.timeline()) >= 1


def test_the_annotated_video_has_every_frame_and_differs_where_the_face_is(changing, find, predictors):
    job = run(changing, find, predictors, VideoOptions(Sampling(per_second=5)))
    file = io.BytesIO()
    assert write_annotated(job.video, job.timeline(), file, start_s=0.3, end_s=1.7) == 15
    frame = next(VideoFile(file.getvalue()).frames())
    plain = job.video.frame_at(0.3)
    difference = np.abs(frame.image.astype(int) - plain.image).mean(axis=2)
    box = job.timeline().box(int(job.timeline().rows_near(0.3)[0]))
    edge = difference[int(box.top) + 20 : int(box.top + box.height) - 20, round(box.left)]
    assert edge.mean() > 20
    assert difference[:, :40].mean() < 4


def test_the_annotated_video_shows_the_chosen_prediction(changing, find, predictors, monkeypatch):
    job = run(changing, find, predictors, VideoOptions(Sampling(per_second=5)))
    timeline = job.timeline()
    group = timeline.groups[0]
    # One network is certain of another class than the other.
    probabilities = np.zeros_like(group.probabilities)
    probabilities[0, :, 0] = probabilities[1, :, 1] = 1
    group = replace(group, probabilities=probabilities)
    shown: list[str] = []
    draw = annotation.draw_face
    monkeypatch.setattr(
        annotation, "draw_face", lambda image, box, text, **scale: [shown.append(text), draw(image, box, text, **scale)]
    )
    for name, expected in zip(group.model_ids, group.labels.classes, strict=False):
        shown.clear()
        write_annotated(job.video, timeline, io.BytesIO(), group=group, name=name, end_s=0.5)
        assert set(shown) == {f"1: {expected} 100 %"}


def test_options_are_checked(changing, find, predictors):
    with pytest.raises(VideoError, match="choose an earlier start"):
        run(changing, find, predictors, VideoOptions(start_s=9))
    for wrong, message in (
        ({"start_s": -1}, "got -1 s to the end"),
        ({"start_s": 2, "end_s": 1}, "got 2 s to 1 s"),
        ({"end_s": float("nan")}, "an end after it"),
        ({"detect_every": 0}, "from 1 to 60, got 0"),
    ):
        with pytest.raises(VideoError, match=message):
            VideoOptions(**wrong)
    with pytest.raises(VideoError, match="from 1 to 60"):
        list(analyze_frames([], find, predictors, detect_every=0))


def test_a_part_without_a_frame_is_an_error(changing, find, predictors):
    job = run(changing, find, predictors[:1], VideoOptions(start_s=1.92))
    assert (job.progress.state, job.notes) == ("failed", [])
    assert "has no frame from 1.92 s to the end; choose a longer part" in str(job.error)


def test_thumbnails_cover_the_video_and_their_number_is_bounded():
    thumbnails = Thumbnails()
    for number in range(1000):
        thumbnails.add(Frame(number / 10, np.full((360, 640, 3), number % 256, np.uint8)))
    pictures = thumbnails.pictures()
    assert MAX_PICTURES / 2 <= len(pictures) <= MAX_PICTURES
    times = [time_s for time_s, _ in pictures]
    assert np.allclose(np.diff(times), times[1] - times[0])
    assert times[0] == 0
    assert times[-1] > 97
    assert all(image.shape == (72, 128, 3) and (image == round(10 * t) % 256).all() for t, image in pictures)
