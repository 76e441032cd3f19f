"""What the screen shows, without the screen: ``python -m dashboard report``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from core import checkpoints
from core.errors import CheckpointError, EvaluationError

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)
console, messages = Console(), Console(stderr=True)


@app.callback()
def dashboard() -> None:
    """FERscope's pages as files. The pages themselves: `make run`."""


@app.command(epilog="Example: `python -m dashboard report fer_cnn fer_resnet50 --output report.html`")
def report(
    runs: Annotated[list[str] | None, typer.Argument(help="Networks by name; none: all that are installed.")] = None,
    split: Annotated[str, typer.Option(help="val (PublicTest) or test (PrivateTest).")] = "test",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("report.html"),
    root: Annotated[Path, typer.Option("--checkpoints", help="Folder of the trained networks.")] = checkpoints.ROOT,
) -> None:
    """Write the comparison of networks as one HTML file: scores, tests, curves, slices, protocol, cards."""
    from dashboard.compare.comparison import SPLITS
    from dashboard.compare.stored_comparison import from_checkpoints
    from dashboard.reports import comparison_report

    if split not in SPLITS:
        raise typer.BadParameter(f"a split is val or test, got {split!r}", param_hint="--split")
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=messages) as bar:
        task = bar.add_task("reading the stored answers", total=None)
        comparison, problems = from_checkpoints(runs or [], split, root)
        for problem in problems:
            messages.print(f"[yellow]{escape(problem)}", highlight=False)

        def show(section: str, done: int, total: int) -> None:
            bar.update(task, description=section, completed=done, total=total)

        text = comparison_report.html(comparison, datetime.now(UTC), show)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{output} cannot be written: {error.strerror or error}") from error
    console.print(f"{output}: {len(text.encode()) / 1e6:.2f} MB", highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; what a user can mend ends in one sentence and exit status 1, Ctrl-C in 130."""
    try:
        app()
    except (CheckpointError, EvaluationError) as error:
        messages.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        messages.print("[yellow]stopped")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
