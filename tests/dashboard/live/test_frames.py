"""The socket for frames next to the pages, on a running server."""

import json
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.sample_photos import sample_photos
from dashboard.live import frames
from tests.dashboard.live.visitor import visiting
from tests.serving import served_networks

PORTRAIT = sample_photos()["grace_hopper"].data


@pytest.fixture(scope="module")
def server(checkpoint_root, tmp_path_factory):
    with served_networks(checkpoint_root, tmp_path_factory.mktemp("server") / "log.txt") as running:
        yield running


@pytest.fixture
def visitor(server):
    with visiting(server.url) as found:
        yield found


def ask(camera, frame=PORTRAIT) -> dict:
    camera.send(frame)
    return json.loads(camera.recv(timeout=30))


def close_code(camera) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        camera.recv(timeout=20)
    return closed.value.rcvd.code


def test_frames_are_answered_one_by_one(visitor):
    with visitor.camera() as camera:
        first, error, last = ask(camera), ask(camera, b"not a picture"), ask(camera)
    assert list(error) == ["error"]
    assert [face["track"] for face in first["faces"]] == [face["track"] for face in last["faces"]] == [1]
    assert set(first["faces"][0]["series"]) == {series["key"] for series in visitor.data["series"]}


def test_another_origin_is_refused(visitor):
    with pytest.raises(InvalidStatus) as refused, visitor.camera(origin="http://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403


def test_only_the_token_of_an_open_session_is_accepted(server, visitor):
    for token in ("", "wrong", visitor.data["token"][:-1]):
        with visitor.camera(token) as camera:
            assert close_code(camera) == frames.NO_SESSION
    with visiting(server.url) as gone, gone.camera() as camera:
        assert "faces" in ask(camera)
        gone.close()
        deadline = time.monotonic() + 20
        with suppress(ConnectionClosed):  # as soon as the server has noticed that the page was closed
            while time.monotonic() < deadline:
                ask(camera)
        assert close_code(camera) == frames.NO_SESSION


def test_a_frame_that_is_too_large_and_an_older_connection_are_refused(visitor):
    with visitor.camera() as camera:
        camera.send(b"\xff" * (frames.MAX_FRAME_BYTES + 1))
        assert close_code(camera) == frames.FRAME_TOO_LARGE
    with visitor.camera() as older, visitor.camera() as newer:
        assert "faces" in ask(newer)
        older.send(PORTRAIT)
        assert close_code(older) == frames.NO_SESSION


def test_a_viewer_that_sends_without_waiting_does_not_displace_another(server, visitor):
    answered = []

    def flood(camera) -> None:
        with suppress(ConnectionClosed):
            for _ in range(60):
                camera.send(PORTRAIT)
            while True:
                answered.append(camera.recv(timeout=30))

    with visiting(server.url) as other, other.camera() as hasty, visitor.camera() as patient:
        ask(hasty)
        flooding = threading.Thread(target=flood, args=(hasty,))
        flooding.start()
        for _ in range(10):
            ask(patient)
        while_patient = len(answered)
        hasty.close()
        flooding.join()
    assert while_patient <= 30


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")
def test_pages_that_are_closed_in_the_middle_leave_nothing(server):
    process = Path(f"/proc/{server.pid}")

    def use() -> tuple[int, int, float]:
        """Threads, TCP sockets and MB of the server. Streamlit's sessions keep socket pairs for two minutes."""
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        tables = [(process / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        tcp = {f"socket:[{line.split()[9]}]" for table in tables for line in table}
        sockets = 0
        for link in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                sockets += str(link.readlink()) in tcp
        return int(status["Threads"]), sockets, int(status["VmRSS"].split()[0]) / 1024

    def open_and_close(times: int) -> None:
        for _ in range(times):
            with visiting(server.url) as visitor, visitor.camera() as camera:
                camera.send(PORTRAIT)
                visitor.close()  # while the frame is analyzed

    def settled(threads: int, sockets: int) -> tuple[int, int, float]:
        for _ in range(100):
            found = use()
            if found[0] <= threads and found[1] <= sockets:
                break
            time.sleep(0.1)
        return found

    open_and_close(3)
    before_threads, before_sockets, before_mb = settled(1 << 20, 1)
    assert before_sockets == 1  # the one that listens
    open_and_close(20)
    threads, sockets, memory_mb = settled(before_threads, 1)
    assert sockets == 1
    assert threads <= before_threads
    assert memory_mb <= before_mb + 40
