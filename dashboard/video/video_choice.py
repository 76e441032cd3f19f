"""Which video is analyzed, and how."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from core.errors import DetectorUnavailableError, VideoError
from core.inference import Predictor
from core.video import DETECT_EVERY, SUFFIXES, Sampling, Thumbnails, Timeline, VideoFile, VideoJob, VideoOptions
from core.video.sample_clip import CREDIT, TITLE, sample_clip
from dashboard import services
from dashboard.ui import links, network_picker, photo_sources, session
from dashboard.ui.messages import show_error, show_warning
from dashboard.ui.session import ANNOTATED_VIDEO, VIDEO, VIDEO_SOURCE
from dashboard.video.session_video import SessionVideo

UPLOAD = "video_upload"
FORGOTTEN = "videos_forgotten"  # their number
MAX_MB = 500
LONGEST_S = 86_400


def choose_options() -> VideoOptions:
    """The controls in the sidebar."""
    per_second = links.slider(
        "Frames per second",
        1.0,
        30.0,
        5.0,
        1.0,
        key="video_fps",
        help="Number of frames analyzed per second of video, limited by the frame rate of the video.",
    )
    detect_every = links.slider(
        "Detect faces in every n-th analyzed frame",
        1,
        10,
        DETECT_EVERY,
        1,
        key="video_detect",
        help="In the frames between, the boxes of the faces are interpolated.",
    )
    start = links.number("Start at (s)", 0, LONGEST_S, key="video_start")
    end = links.number("End at (s)", 0, LONGEST_S, key="video_end", help="0: at the end of the video.")
    if 0 < end <= start:
        show_warning(f"The end must be after {start} s. Continuing to the end of the video.")
    end_s = float(end) if end > start else math.inf
    return VideoOptions(Sampling(per_second=per_second), float(start), end_s, int(detect_every))


def choose_video() -> None:
    """The uploader and the sample. A chosen video is stored in the session."""
    key = _uploader_key()
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.file_uploader(
            "Drop a video here, or choose one",
            type=[suffix[1:] for suffix in SUFFIXES],
            key=key,
            on_change=_uploaded,
            args=(key,),
            max_upload_size=MAX_MB,
            help="The video is kept in the memory of the FERscope server for this session only, and is never written "
            "to disk, logged or passed on.",
        )
    with right:
        st.markdown("**Or start with a sample**")
        with st.container(key="clickable-sample-video", width=240):
            portraits = photo_sources.thumbnail(services.samples()["two_faces"].data)
            st.image(portraits, alt="The two portraits of the sample video", width="stretch")
            st.button(TITLE, icon=":material/play_arrow:", on_click=_choose_sample, width="stretch")
        st.caption(f"{CREDIT}; 9 seconds.")
        photo_sources.browser_script()


def current() -> SessionVideo | None:
    """The video of the session."""
    video: SessionVideo | None = st.session_state.get(VIDEO)
    return video


def started(networks: Sequence[Predictor], detector: str, options: VideoOptions) -> SessionVideo | None:
    """The video of the session; its analysis is started when it was chosen. Its settings may be older."""
    source: tuple[str, bytes] | None = st.session_state.get(VIDEO_SOURCE)
    if source is not None and _start(VideoFile(source[1], source[0]), networks, detector, options):
        del st.session_state[VIDEO_SOURCE]
    if (video := current()) is not None:
        is_changed = video.request != request_of(networks, detector, options)
        wanted, before = _offer_analysis(video, is_changed)
        if wanted and _start(video.job.video, networks, detector, options, before, video.job.thumbnails):
            st.rerun()
    return current()


def _offer_analysis(video: SessionVideo, is_changed: bool) -> tuple[bool, Timeline | None]:
    """Whether the video is to be analyzed again, and the timeline that is continued."""
    state = video.job.progress.state
    if not is_changed and state not in ("stopped", "failed"):
        return False, None
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_changed:
            wanted = st.button("Analyze with these settings", icon=":material/refresh:")
            st.caption("The networks, the detector or the options were changed after the analysis.")
            return wanted, None
        if st.button("Continue", icon=":material/resume:"):
            return True, video.job.timeline()
        wanted = st.button("Analyze from the beginning", icon=":material/refresh:")
        st.caption(f"The analysis {'was stopped' if state == 'stopped' else 'ended'} at {video.job.reached_s:.1f} s.")
    return wanted, None


def forget_video() -> None:
    """Remove the video, everything computed from it, and the file that Streamlit holds for the uploader."""
    _forget()
    st.session_state.pop(VIDEO_SOURCE, None)
    session.delete_upload(st.session_state.get(_uploader_key()))
    st.session_state[FORGOTTEN] = st.session_state.get(FORGOTTEN, 0) + 1


def _uploader_key() -> str:
    """Another one after a video was forgotten: a widget with another key begins without a file."""
    number = st.session_state.get(FORGOTTEN, 0)
    return session.widget_key(f"{UPLOAD}-{number}" if number else UPLOAD)


def request_of(networks: Sequence[Predictor], detector: str, options: VideoOptions) -> object:
    """Identifies how a video is analyzed."""
    return tuple(n.key for n in networks), detector, options


def _start(
    video: VideoFile,
    networks: Sequence[Predictor],
    detector: str,
    options: VideoOptions,
    before: Timeline | None = None,
    thumbnails: Thumbnails | None = None,
) -> bool:
    """Replace the session's video by this one, whose analysis starts; False where it cannot start, as is then stated.

    ``before`` and ``thumbnails`` are those of the analysis that is continued.
    """
    kept = thumbnails if before is not None and thumbnails is not None else Thumbnails()
    try:
        info = video.info()
    except VideoError as error:
        show_error(error)
        st.session_state.pop(VIDEO_SOURCE, None)  # no setting makes the file readable
        return False
    try:
        job = VideoJob(video, info, services.detector(detector), networks, options, before=before, thumbnails=kept)
    except (VideoError, DetectorUnavailableError) as error:
        show_error(error)
        return False
    _forget()
    st.session_state[VIDEO] = SessionVideo(
        job,
        request_of(networks, detector, options),
        [network.card for network in networks],
        network_picker.titles(networks),
    )
    return True


def _forget() -> None:
    """Stop the analysis before. Parts of the page that were drawn may refer to it for a while."""
    st.session_state.pop(ANNOTATED_VIDEO, None)
    before: SessionVideo | None = st.session_state.pop(VIDEO, None)
    if before is not None:
        before.stop()


def _uploaded(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        st.session_state.pop(VIDEO_SOURCE, None)
    else:
        st.session_state[VIDEO_SOURCE] = (file.name, file.getvalue())


def _choose_sample() -> None:
    st.session_state[VIDEO_SOURCE] = ("sample.mp4", _sample())


@st.cache_resource(max_entries=1, show_spinner="Creating the sample video …")
def _sample() -> bytes:
    return sample_clip()
