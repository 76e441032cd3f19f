"""``python -m core serve``: the HTTP API without the pages."""

from __future__ import annotations

import os
import socket
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from core import checkpoints
from core.api import limits
from core.cli.output import Device, Root, messages, print_line, warn
from core.errors import SettingError

if TYPE_CHECKING:
    from fastapi import FastAPI

app = typer.Typer()


@app.command(epilog="Example: `python -m core serve --port 8600`, then open http://127.0.0.1:8600/docs")
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 accepts connections from other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8600,
    device: Device = "auto",
    root: Root = checkpoints.ROOT,
) -> None:
    """Serve predictions, saliency maps, networks and their scores over HTTP, without the pages.

    Limits are set by environment variables; the README lists them.
    """
    chosen = limits.limits_from()
    listening = _listen(host, port)  # first, because the networks take seconds to load
    from core.api.application import application
    from core.faces import AUTO
    from core.runtime import Runtime

    runtime = Runtime(root, device)
    networks = runtime.predictors(report=warn)  # loaded now, so that the first request does not wait
    detector = runtime.detector(AUTO)
    names = ", ".join(network.model_id for network in networks)
    print_line(f"{names}; faces: {detector.name}; documentation: {_address(host, port)}/docs", messages)
    _run(application(runtime, chosen), listening)


def _address(host: str, port: int) -> str:
    """The address for a browser; one of IPv6 needs brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises SettingError if the address cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; choose another --port or --host"
        ) from error


def _run(api: FastAPI, listening: socket.socket) -> None:
    """Serve until Ctrl-C, which waits for the requests that are being computed; a second one does not."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:
                os._exit(130)  # the server holds no file; its threads may compute for a minute
            text = "Stopping after the requests that are being computed; press Ctrl-C again to end at once."
            print_line(text, messages)
            super().handle_exit(sig, frame)

    # The access log would name the address of every request.
    Server(uvicorn.Config(api, access_log=False, log_level="warning")).run(sockets=[listening])
