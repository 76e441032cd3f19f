"""The command line: ``python -m core --help``.

Tables and progress are written to the terminal or to standard error. With ``--json`` standard output holds one JSON
value and nothing else, so that it can be piped.
"""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from core.cli import analyze, batch, data, export, networks, serve, training, video
from core.cli.output import messages
from core.errors import FerscopeError

app = typer.Typer(
    help="FERscope: facial expression recognition, explained and measured.",
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
        messages.print(f"[bold red]Error:[/] {escape(error.sentence)}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt as stop:
        messages.print(f"[yellow]{escape(str(stop) or 'Stopped.')}", highlight=False)
        raise SystemExit(130) from None
