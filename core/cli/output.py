"""What the commands share: consoles, JSON on standard output, progress bars and common options."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from core.errors import FerscopeError, OutputError

# Without markup, because a path or the name of a class may contain brackets.
console = Console(markup=False, emoji=False, highlight=False)
messages = Console(stderr=True, markup=False, emoji=False, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
ChosenSplit = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Divide a data set without splits by these percentages for training, validation and test, such as "
        "80/10/10.",
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed of --split.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip invalid rows and count them.")]
Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="FERSCOPE_DATA", help="fer2013.csv, a packed Parquet file, an image folder or a manifest."
    ),
]
DetectorName = Annotated[
    str,
    typer.Option(
        "--detector",
        help="yunet, mtcnn or haar; auto is YuNet if its file is present or can be downloaded, otherwise MTCNN.",
    ),
]
Device = Annotated[str, typer.Option(help="Device for predictions: auto, cpu, cuda or mps.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="Name of a network; repeat the option for several networks.")
]
Root = Annotated[Path, typer.Option("--checkpoints", help="Folder of the trained networks.")]


def print_json(value: Any) -> None:
    """One JSON value on standard output, in ASCII, so that it does not depend on the terminal's encoding."""
    typer.echo(json.dumps(value, allow_nan=False))


def print_line(text: str | Text, to: Console = console, style: str | None = None) -> None:
    """Text without markup or wrapping, so that a path or a command in it can be copied."""
    to.print(text, style=style, soft_wrap=True)


def warn(text: str) -> None:
    """One line on standard error about something that does not stop the command."""
    print_line(text, messages, "yellow")


def print_error(error: FerscopeError) -> None:
    """One line on standard error about the reason why the command ends."""
    print_line(Text.assemble(("Error:", "bold red"), f" {error.sentence}"), messages)


def progress_bar() -> Progress:
    """A bar on standard error with a description and the field ``left``, the time that is left."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[left]}"))
    return Progress(*columns, console=messages)


def require_split(split: str, allowed: tuple[str, ...]) -> str:
    """The split itself. Raises typer.BadParameter, exit status 2, for one that is not allowed."""
    if split not in allowed:
        raise typer.BadParameter(f"expected one of {', '.join(allowed)}, got {split!r}", param_hint="--split")
    return split


def require_between(option: str, value: float, low: float, high: float) -> None:
    """Raises typer.BadParameter, exit status 2, for a value outside [low, high]."""
    if not low <= value <= high:
        raise typer.BadParameter(f"expected a number from {low:g} to {high:g}, got {value:g}", param_hint=option)


def require_writable(targets: Iterable[Path]) -> None:
    """Raises OutputError where a file cannot be created, before hours are spent on its contents."""
    for target in targets:
        with writing(target):
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            target.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=target.parent).close()


def require_distinct(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Raises OutputError where an output would replace an input, an existing file in an input folder, or another
    output, before anything is computed."""
    used = {path.resolve() for path in inputs}
    for target in outputs:
        found = target.resolve()
        if found in used or (found.exists() and not used.isdisjoint(found.parents)):
            raise OutputError(f"{target} would replace a file that this command reads or writes; choose another path")
        used.add(found)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn the errors of the file system while ``target`` is written into one OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}; choose another path") from error
