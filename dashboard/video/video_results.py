"""The analysis of the session's video: its progress, and what it has found so far."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import streamlit as st

from core.errors import VideoError
from core.inference import ENSEMBLE
from core.video import GroupTimeline, Timeline
from core.video.annotation import write_annotated
from dashboard.style import Ink
from dashboard.ui import links, network_picker, progress, sections, smoothing_slider
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error, show_warning
from dashboard.ui.session import ANNOTATED_VIDEO
from dashboard.video import summary, time_cursor
from dashboard.video.session_video import SessionVideo

REFRESH_S = 2.0


def draw(video: SessionVideo, inks: Ink) -> None:
    """Everything about the video; while it is analyzed, the results are drawn again every other second."""
    running = video.running
    st.fragment(_draw, run_every=REFRESH_S if running else None)(video, inks, running)


def _draw(video: SessionVideo, inks: Ink, was_running: bool) -> None:
    if was_running and not video.running:
        st.rerun()  # the whole page, so that nothing is drawn again from then on
    _draw_progress(video)
    found = video.job.timeline()
    if not len(found.frame_times_s):
        return
    series = _series(found, video.names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = links.first_choice(
            st.selectbox, "Prediction shown", {key: title for key, (_, _, title) in series.items()}, key="video_shown"
        )
        smoothing_s = smoothing_slider.choose("video_smoothing")
        first_s, last_s = _choose_part(video, found)
    position, name, title = series[str(chosen)]
    timeline = video.timeline(smoothing_s).between(first_s, last_s)
    if not len(timeline.frame_times_s):
        st.info("No frame of this part is analyzed yet.", icon=":material/hourglass_empty:")
        return
    group = timeline.groups[position]
    time_cursor.draw(video, timeline, group, name, title, smoothing_s, inks)
    if not len(timeline):
        if not video.running:
            st.info(
                "No face was found. Try another detector or more frames per second in the sidebar.",
                icon=":material/search_off:",
            )
        return
    smoothed = f", smoothed with a time constant of {smoothing_s:g} s" if smoothing_s else ""
    shown = summary.Summary(video, timeline, group, name, f"{title}{smoothed}", video.names, inks)
    panel = links.first_choice(
        st.segmented_control, "Summary", list(summary.PANELS), key="video_panel", label_visibility="collapsed"
    )
    sections.draw(summary.PANELS[str(panel)](shown))
    if not video.running:
        st.markdown("**Files**")
        st.caption(
            f"The CSV and Parquet files and the video with boxes contain the chosen part{smoothed}. The expressions in "
            f"the video are predicted by {title}. The JSON file contains the whole video without smoothing."
        )
        sections.draw_downloads(summary.files(shown, video.cards))
        _annotated_video(video, timeline, group, name)


def _draw_progress(video: SessionVideo) -> None:
    job, now = video.job, video.job.progress
    if now.state == "running":
        left = "" if now.left_s is None else f" · about {progress.duration(now.left_s)} left"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(now.fraction, f"Analyzing {escaped(video.name)}: {now.frames:,} frames{left}")
            st.button("Stop", key="video_stop", icon=":material/stop_circle:", on_click=video.stop)
    else:
        info = job.info
        words = [video.name, f"{info.width} × {info.height} px"]
        if info.duration_s is not None:
            words.append(f"{info.duration_s:.1f} s")
        if info.frames_per_second is not None:
            words.append(f"{info.frames_per_second:.3g} frames per second")
        if info.rotation_deg:
            words.append(f"rotated by {info.rotation_deg}° clockwise")
        stopped = " · stopped" if now.state == "stopped" else ""
        in_all = f"{now.frames:,} frames analyzed"
        if job.continued_at:
            in_all += f", the last {now.frames - job.continued_at:,}"
        st.caption(escaped(" · ".join(words)) + f" · {in_all} in {now.elapsed_s:.1f} s{stopped}")
    if job.error is not None:
        shown = " The results up to that point are shown." if now.frames else ""
        show_error(f"{job.error.sentence}{shown}")
    for note in job.notes:
        show_warning(note)


def _series(timeline: Timeline, names: Mapping[str, str]) -> dict[str, tuple[int, str, str]]:
    """What can be shown, by a key for the address: the position of the group, the name in it, and the title."""
    found: dict[str, tuple[int, str, str]] = {}
    several = sum(len(group.model_ids) > 1 for group in timeline.groups) > 1
    for position, group in enumerate(timeline.groups):
        for name in reversed(group.names):  # the ensemble first
            key = name if name != ENSEMBLE or position == 0 else f"{ENSEMBLE}-{position + 1}"
            found[key] = position, name, _title(group, name, names, several)
    return found


def _title(group: GroupTimeline, name: str, names: Mapping[str, str], several: bool) -> str:
    if name != ENSEMBLE:
        return names[name]
    return network_picker.ensemble_of_classes(group.labels, several=several)


def _choose_part(video: SessionVideo, timeline: Timeline) -> tuple[float, float]:
    """The part of the video that is shown and summarized."""
    end_s = max(float(timeline.frame_times_s[-1]), video.job.info.duration_s or 0.0, 0.1)
    end_s = math.ceil(10 * end_s) / 10
    first_s, last_s = st.slider("Part of the video (s)", 0.0, end_s, (0.0, end_s), 0.1, key=f"video_part-{end_s:g}")
    return float(first_s), float(last_s)


def _annotated_video(video: SessionVideo, timeline: Timeline, group: GroupTimeline, name: str) -> None:
    """A button that makes the video with boxes and expressions, then one that downloads it."""
    first_s, last_s = float(timeline.frame_times_s[0]), float(timeline.frame_times_s[-1])
    # The numbers themselves, because the part and the smoothing make new arrays in every run.
    request = (id(video), group.of(name).tobytes(), first_s, last_s)
    made: tuple[object, bytes] | None = st.session_state.get(ANNOTATED_VIDEO)
    wanted = st.button(
        "Create the video with boxes and expressions (mp4)",
        icon=":material/movie_edit:",
        type="tertiary",
        help="All frames of the chosen part, H.264, with the sound of the file.",
    )
    if wanted:
        progress.resume("video-annotated")
        file = io.BytesIO()
        try:
            with progress.work("video-annotated", request, 1) as shown:
                show = shown.part("Writing the video", "ms")
                total = max(int(1000 * (last_s - first_s)), 1)
                write_annotated(
                    video.job.video,
                    timeline,
                    file,
                    group=group,
                    name=name,
                    start_s=first_s,
                    end_s=last_s,
                    report_time=lambda time_s: show(min(int(1000 * (time_s - first_s)), total), total),
                    report=lambda sentence: show_warning(sentence, icon="volume_off"),
                )
        except VideoError as error:
            show_error(error)
        else:
            made = request, file.getvalue()
            st.session_state[ANNOTATED_VIDEO] = made
    if made is not None and made[0] == request:
        st.download_button(
            "Video with boxes and expressions (mp4)",
            made[1],
            "video-faces.mp4",
            "video/mp4",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
