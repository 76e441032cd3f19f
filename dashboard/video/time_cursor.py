"""The timeline with a cursor, and the picture at the cursor."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import images
from core.errors import VideoError
from core.video import GroupTimeline, Timeline
from core.video.annotation import draw_face, face_label
from dashboard import services
from dashboard.plots import expression_timeline as plots
from dashboard.plots.face_sheet import FaceSheet
from dashboard.section import counted
from dashboard.services import Photo
from dashboard.style import CONFIG, Ink
from dashboard.ui import face_hover, session
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error
from dashboard.video.session_video import SessionVideo

TIME, CHART = "video_time", "video_chart"
MOST_FACES = 3
STRIP_PICTURES = 8


def draw(
    video: SessionVideo, timeline: Timeline, group: GroupTimeline, name: str, title: str, smoothing_s: float, inks: Ink
) -> None:
    """The picture at the cursor on the left, or above on a phone, and the timeline on the right; ``title`` is that of
    the series ``name``."""
    picture, timelines = st.columns([5, 7], gap="large")
    with timelines:
        tracks = _choose_tracks(timeline)
        chart = st.container()
        time_s = _choose_time(video, timeline)
        with chart:
            _draw_chart(video, timeline, group, name, tracks, time_s, inks)
        job = video.job
        detector = services.DETECTORS[job.detector_name]
        every = job.options.detect_every
        searched = {1: "each of them", 2: "every other one"}.get(every, f"one in {every} of them")
        smoothed = f", smoothed with a time constant of {smoothing_s:g} s" if smoothing_s else ""
        hint = "Click the chart to see the frame at that time."
        if tracks and _frames_for_hover(video, timeline) is not None:
            hint = "Point at the chart to see the frame at that time; click to enlarge the frame."
        st.caption(
            f"Probabilities by {title}{smoothed}. "
            f"{len(timeline.frame_times_s):,} analyzed frames; {detector} detected faces in {searched}. {hint}"
        )
    with picture:
        _draw_picture(video, timeline, group, name, time_s)


def _choose_tracks(timeline: Timeline) -> tuple[int, ...]:
    """The faces whose lines are drawn."""
    tracks = timeline.track_numbers
    if len(tracks) <= MOST_FACES:
        return tuple(sorted(tracks))
    options = [0, *sorted(tracks)]
    chosen = st.selectbox(
        "Face",
        options,
        format_func=lambda track: (
            f"Face {track}" if track else f"The {MOST_FACES} faces seen longest, of {len(tracks)}"
        ),
        key="video_face",
    )
    return (chosen,) if chosen in tracks else tuple(sorted(tracks[:MOST_FACES]))


def _choose_time(video: SessionVideo, timeline: Timeline) -> float:
    """The time of an analyzed frame, by a slider, by buttons or by a click on the chart."""
    times = timeline.frame_times_s
    # The slider keeps its ends while the analysis runs.
    end_s = max(float(times[-1]), video.job.info.duration_s or 0.0, 0.01)
    st.session_state[TIME] = min(max(st.session_state.get(TIME, float(times[0])), 0.0), end_s)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted_s = st.slider("Time (s)", 0.0, end_s, step=max(round(timeline.step_s, 3), 0.01), key=TIME, format="%.2f")
        number = int(np.abs(times - wanted_s).argmin())
        for step, icon, words in ((-1, "chevron_left", "Previous frame"), (1, "chevron_right", "Next frame")):
            to = number + step
            st.button(
                "",
                key=f"video_step{step}",
                icon=f":material/{icon}:",
                help=words,
                disabled=not 0 <= to < len(times),
                on_click=_go_to,
                args=(float(times[min(max(to, 0), len(times) - 1)]),),
            )
    return float(times[number])


def _go_to(time_s: float) -> None:
    st.session_state[TIME] = time_s


def _clicked() -> None:
    points = st.session_state[CHART].selection.points
    if points and points[0].get("customdata") is not None:
        value = points[0]["customdata"]
        _go_to(float(value[0] if isinstance(value, list | tuple) else value))


def _draw_chart(
    video: SessionVideo,
    timeline: Timeline,
    group: GroupTimeline,
    name: str,
    tracks: tuple[int, ...],
    time_s: float,
    inks: Ink,
) -> None:
    if not tracks:
        st.info("No face was found in the frames so far.", icon=":material/search_off:")
        return
    strip = [] if video.running else _strip(video, timeline)
    st.plotly_chart(
        plots.chart(timeline, group, name, tracks, time_s, inks, strip),
        key=CHART,
        theme=None,
        config=CONFIG,
        alt=f"Probability of each expression over time, one panel per face, {counted(len(tracks), 'face')}",
        on_select=_clicked,
        selection_mode="points",
    )
    frames = _frames_for_hover(video, timeline)
    if frames is None:
        face_hover.show_nothing(CHART)  # instead of the frames of the previous video
    else:
        face_hover.show_frames_on_hover(CHART, *frames)


def _frames_for_hover(video: SessionVideo, timeline: Timeline) -> tuple[list[float], FaceSheet] | None:
    return None if video.running else video.hover_sheet(*map(float, timeline.frame_times_s[[0, -1]]))


def _strip(video: SessionVideo, timeline: Timeline) -> list[tuple[float, float, np.ndarray]]:
    """Pictures at equal distances in time."""
    first_s, last_s = float(timeline.frame_times_s[0]), float(timeline.frame_times_s[-1])
    edges = np.linspace(first_s, last_s, STRIP_PICTURES + 1)
    pictures = []
    for start_s, end_s in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        try:
            pictures.append((start_s, end_s, video.strip_picture((start_s + end_s) / 2)))
        except VideoError:
            return []
    return pictures if last_s > first_s else []


def _draw_picture(video: SessionVideo, timeline: Timeline, group: GroupTimeline, name: str, time_s: float) -> None:
    try:
        frame = video.frame(time_s)
    except VideoError as error:
        show_error(error)
        return
    picture = frame.image.copy()
    words = []
    for row in timeline.rows_near(time_s):
        label = face_label(timeline, int(row), group, name)
        words.append(f"face {label}")
        draw_face(picture, timeline.box(int(row)), label, scale=frame.scale)
    st.image(picture, alt=f"The frame at {time_s:.2f} s with {counted(len(words), 'face')} in boxes", width="stretch")
    st.caption(escaped(f"{video.name} at {time_s:.2f} s · " + ("; ".join(words) or "no face")))
    if st.button("Analyze this frame", icon=":material/frame_person:", help="Opens this frame at full resolution."):
        data = _photo_bytes(video.job.video.frame_at(time_s).image)
        session.add_photo(Photo.of(f"{video.name} at {time_s:.2f} s", data, "video"))
        st.rerun()


def _photo_bytes(image: np.ndarray) -> bytes:
    """Without loss, unless the file would be too large for a photo."""
    data = images.encode_png(image)
    return data if len(data) <= images.MAX_BYTES else images.encode_jpeg(image)
