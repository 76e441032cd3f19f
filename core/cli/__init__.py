"""The command line: ``python -m core --help``.

Tables and progress are written to the terminal or to standard error. With ``--json`` standard output holds one JSON
value and nothing else, so that it can be piped.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from core.cli import analyze, batch, data, export, networks, serve, training, video
from core.cli.output import print_error, warn
from core.errors import FerscopeError


class Interrupted(BaseException):
    """Ctrl-C with its sentence. Typer ends the program silently at a KeyboardInterrupt."""


class Commands(TyperGroup):
    """The commands, whose KeyboardInterrupt reaches :func:`main`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise Interrupted(str(stop) or "Stopped.") from None


app = typer.Typer(
    cls=Commands,
    help="FERscope: analyze, compare, train and export networks for facial expression recognition.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
for group in (networks, analyze, video, batch, training, export, serve):
    app.add_typer(group.app)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run the command line. An expected error prints one sentence and exits with status 1, Ctrl-C exits with 130."""
    for stream in (sys.stdout, sys.stderr):
        # File names may contain characters that the terminal's encoding lacks, or bytes of no encoding.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except FerscopeError as error:
        print_error(error)
        raise SystemExit(1) from None
    except Interrupted as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # another Ctrl-C while the program ends would be a traceback
        warn(str(stop))
        raise SystemExit(130) from None
