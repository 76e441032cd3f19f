"""A visitor of the Live page without a browser: the page's session, and the socket of its camera."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect


class Visitor:
    """An open page; ``data`` is what its component receives, with the token and the path of the socket for frames."""

    def __init__(self, url: str, page: ClientConnection) -> None:
        self.url, self._page = url, page
        opened = BackMsg()
        opened.rerun_script.page_name = "live"
        page.send(opened.SerializeToString())
        self.data = self._received()

    @contextmanager
    def camera(self, token: str | None = None, *, origin: str | None = None) -> Iterator[ClientConnection]:
        """Connect the socket for frames as the component does; by default with the own token and origin."""
        address = self.url.replace("http", "ws") + self.data["path"]
        with connect(address, origin=origin or self.url, max_size=None) as socket:
            socket.send(self.data["token"] if token is None else token)
            yield socket

    def close(self) -> None:
        """Close the page."""
        self._page.close()

    def _received(self) -> dict[str, Any]:
        while True:
            message = ForwardMsg.FromString(self._page.recv(timeout=60))
            if message.delta.new_element.HasField("bidi_component"):
                found: dict[str, Any] = json.loads(message.delta.new_element.bidi_component.json)
                return found


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    """Open the Live page."""
    stream = f"{url.replace('http', 'ws')}/_stcore/stream"
    with connect(stream, subprotocols=["streamlit"], origin=url, max_size=None) as page:
        yield Visitor(url, page)
