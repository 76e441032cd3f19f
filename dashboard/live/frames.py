"""The WebSocket on which a browser sends the frames of its camera and receives what was found in them.

The first message of the browser is the token of its session, every further one a JPEG frame. Each frame is answered
with one JSON message before the next one is read, so at most one frame of a viewer is waiting and nothing queues up.
Frames are never written or logged.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config, runtime
from streamlit.url_util import make_url_path
from streamlit.web.server import server_util
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from core.parallel import core_count, single_core_workers
from dashboard.live.viewers import Viewer, viewer_with

MAX_FRAME_BYTES = 1 << 20
MAX_FRAMES_PER_SECOND = 30
# Seconds until the token must have arrived.
TOKEN_WITHIN_S = 5
MAX_WORKERS = 4
# Close codes: 1008 and 1009 are those of RFC 6455, codes from 4000 are free for applications.
FOREIGN_ORIGIN, FRAME_TOO_LARGE, NO_SESSION = 1008, 1009, 4001


def path() -> str:
    """The address of the WebSocket on this server."""
    return make_url_path(config.get_option("server.baseUrlPath") or "", "live/frames")


def route() -> WebSocketRoute:
    """The route of the WebSocket, to be added to the server."""
    return WebSocketRoute(path(), receive_frames)


async def receive_frames(websocket: WebSocket) -> None:
    """Answer the frames of one viewer until it leaves."""
    if not _is_allowed_origin(websocket.headers.get("Origin"), websocket.headers.get("Host")):
        await websocket.close(FOREIGN_ORIGIN)
        return
    await websocket.accept()
    try:
        viewer = await _viewer(websocket)
        if viewer is not None:
            await _answer_frames(websocket, viewer)
        else:
            await websocket.close(NO_SESSION)
    except WebSocketDisconnect:
        pass


async def _viewer(websocket: WebSocket) -> Viewer | None:
    """The viewer whose token arrives in time, if its session is open."""
    try:
        async with asyncio.timeout(TOKEN_WITHIN_S):
            message = await websocket.receive()
    except TimeoutError:
        return None
    viewer = viewer_with(message.get("text") or "")
    return viewer if viewer is not None and _is_open(viewer) else None


async def _answer_frames(websocket: WebSocket, viewer: Viewer) -> None:
    loop = asyncio.get_running_loop()
    connection = viewer.connect()
    try:
        while True:
            frame = await websocket.receive_bytes()
            begin_s = loop.time()
            if len(frame) > MAX_FRAME_BYTES:
                await websocket.close(FRAME_TOO_LARGE)
                return
            if not (viewer.is_current(connection) and _is_open(viewer)):
                await websocket.close(NO_SESSION)
                return
            await websocket.send_text(await loop.run_in_executor(_workers(), viewer.analysis.answer, frame))
            await asyncio.sleep(begin_s + 1 / MAX_FRAMES_PER_SECOND - loop.time())
    finally:
        viewer.disconnect(connection)


@functools.cache
def _workers() -> ThreadPoolExecutor:
    """The threads that analyze frames. One core is left to the pages.

    The pool serves in the order of arrival, and a viewer has one frame in it: so viewers take turns.
    """
    return single_core_workers(max(1, min(MAX_WORKERS, core_count() - 1)), "live")


def _is_open(viewer: Viewer) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(viewer.session_id)


def _is_allowed_origin(origin: str | None, host: str | None) -> bool:
    """The rule of Streamlit's own socket, except that it looks up no address of this machine on the internet."""
    if not is_host_allowed(host):
        return False
    return (
        origin is None
        or urlsplit(origin).netloc == host
        or server_util.allow_all_cross_origin_requests()
        or server_util.is_allowed_origin(origin)
    )
