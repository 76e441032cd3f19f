"""Reports as files: ``python -m dashboard report``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from core import checkpoints
from core.cli.output import messages, print_error, print_line, warn
from core.errors import CheckpointError, FerscopeError, OutputError

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)


@app.callback()
def dashboard() -> None:
    """Write reports to files. Start the dashboard itself with `make run`."""


@app.command(epilog="Example: `python -m dashboard report cnn resnet50 --output report.html`")
def report(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names of networks; all installed networks by default.")
    ] = None,
    split: Annotated[str, typer.Option(help="val or test.")] = "test",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    root: Annotated[Path, typer.Option("--checkpoints", help="Folder of the trained networks.")] = checkpoints.ROOT,
) -> None:
    """Write the comparison of networks as one HTML file: scores, tests, curves, slices, protocol, model cards."""
    # Imported here, so that the help appears at once.
    from dashboard.compare import comparison_report
    from dashboard.compare.comparison import SCORED_SPLITS, build_comparisons

    if split not in SCORED_SPLITS:
        raise typer.BadParameter(f"expected val or test, got {split!r}", param_hint="--split")
    listing = checkpoints.list_checkpoints(root)
    chosen = [listing.get(run_id) for run_id in dict.fromkeys(runs or [])] or list(listing.checkpoints)
    problems = [] if runs else list(listing.problems)
    with Progress(TextColumn("{task.description}"), BarColumn(), console=messages) as bar:
        task = bar.add_task("Reading the stored predictions", total=None)
        comparisons, notes = build_comparisons(chosen, split)
        problems += [note.text for note in notes]
        if not comparisons:
            why = problems or [
                f"there is no trained network in {root}; train one with: python -m core train cnn --data fer2013.csv"
            ]
            raise CheckpointError(" ".join(why))
        for problem in problems:
            warn(problem)

        def show(chapter: str, done: int, total: int) -> None:
            bar.update(task, description=chapter, completed=done, total=total)

        text = comparison_report.html(comparisons, datetime.now(UTC), show)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}") from error
    print_line(f"{output}: {len(text.encode()) / 1e6:.1f} MB")


def main() -> None:
    """Run the command line. An expected error prints one sentence and exits with status 1, Ctrl-C exits with 130."""
    try:
        app()
    except FerscopeError as error:
        print_error(error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        warn("Stopped.")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
