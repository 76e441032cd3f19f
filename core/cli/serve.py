"""``python -m core serve``: the HTTP API without the pages."""

from __future__ import annotations

from typing import Annotated

import typer

from core import checkpoints
from core.api import limits
from core.cli.output import Device, Root, messages, warn

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
    import uvicorn

    chosen = limits.limits_from()
    from core.api.application import application
    from core.faces import AUTO
    from core.runtime import Runtime

    runtime = Runtime(root, device)
    networks = runtime.predictors(report=warn)  # loaded now, so that the first request does not wait
    detector = runtime.detector(AUTO)
    names = ", ".join(network.model_id for network in networks)
    messages.print(f"{names}; faces: {detector.name}; documentation: http://{host}:{port}/docs", highlight=False)
    # The access log would name the address of every request.
    uvicorn.run(application(runtime, chosen), host=host, port=port, access_log=False, log_level="warning")
