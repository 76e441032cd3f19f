"""``python -m core data``: look at data sets, pack them, describe their images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

console = Console()
data_app = typer.Typer(help="Look at, pack and describe data sets.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out and count them.")]


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


@data_app.command("audit", epilog="Example: `python -m core data audit fer2013.csv --json`")
def audit_command(
    path: Annotated[Path, typer.Argument(help="A data set.")], json_output: Json = False, skip_bad: SkipBad = False
) -> None:
    """Count what is in a data set: splits, classes, blank and identical images, conflicting labels."""
    from core.data import audit, read

    found = audit(read(path, skip_bad=skip_bad)).to_json()
    if json_output:
        print_json(found)
        return
    counts = found.pop("counts")
    classes = list(next(iter(counts.values()), {}))
    table = Table("split", *classes, "all")
    for split, per_class in counts.items():
        table.add_row(split, *(f"{per_class.get(c, 0):,}" for c in classes), f"{sum(per_class.values()):,}")
    console.print(table)
    for name, value in found.items():
        shown = ", ".join(f"{k} {v:,}" for k, v in value.items()) if isinstance(value, dict) else f"{value:,}"
        console.print(f"{name.replace('_', ' ')}: {shown}", highlight=False)


@data_app.command("pack", epilog="Example: `python -m core data pack fer2013.csv fer2013new.csv fer2013.parquet`")
def pack_command(
    files: Annotated[list[Path], typer.Argument(help="OFFICIAL_CSV [FERPLUS_CSV] OUT.parquet", metavar="CSV… OUT")],
) -> None:
    """Pack the official CSV files into one Parquet file with lossless images, a fifth of the size."""
    from core.data import pack

    if len(files) not in (2, 3) or files[-1].suffix != ".parquet":
        raise typer.BadParameter("expected OFFICIAL_CSV [FERPLUS_CSV] OUT.parquet")
    rows = pack(files[0], files[-1], files[1] if len(files) == 3 else None)
    console.print(f"{rows:,} rows in {files[-1]}", highlight=False)


@data_app.command("describe", epilog="Example: `python -m core data describe fer2013.csv`")
def describe_command(
    path: Annotated[Path, typer.Argument(help="A data set.")],
    out: Annotated[Path | None, typer.Argument(help="OUT.parquet, else a file in core/assets.")] = None,
    size_px: Annotated[int, typer.Option(min=8, help="The images' size, as the networks were trained.")] = 48,
    channels: Annotated[int, typer.Option(min=1, max=3, help="1 for gray, 3 for RGB.")] = 1,
    json_output: Json = False,
    skip_bad: SkipBad = False,
) -> None:
    """Write a small table of numbers on every image (brightness, sharpness, copies, votes), without a pixel."""
    from core.commands import describe_data

    written, facts = describe_data(path, out, size_px=size_px, channels=channels, skip_bad=skip_bad)
    size = written.stat().st_size
    if json_output:
        values = {"path": str(written), "rows": len(facts), "bytes": size, "name": facts.name}
        print_json({**values, "fingerprints": list(facts.fingerprints)})
        return
    console.print(f"{len(facts):,} rows in {written} ({size / 1e6:.2f} MB)", highlight=False)
