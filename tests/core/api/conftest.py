"""The API on two small networks that were really trained, served on a free port."""

import contextlib
import socket
import threading

import httpx
import pytest
import uvicorn

from core.api.application import application
from core.api.limits import Limits
from core.runtime import Runtime
from core.sample_photos import sample_photos


@pytest.fixture(scope="session")
def runtime(checkpoint_root):
    return Runtime(checkpoint_root, "cpu")


@contextlib.contextmanager
def serving(app):
    """The address of a server in another thread."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()  # connections wait in the socket until the server accepts them
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def connected(app):
    """A client of such a server."""
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def address(runtime):
    with serving(application(runtime, Limits())) as address:
        yield address


@pytest.fixture
def client(address):
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def portrait():
    """A JPEG with one face."""
    return sample_photos()["grace_hopper"].data
