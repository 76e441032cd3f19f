"""``python -m core data``: audit, pack and describe data sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.output import ChosenSplit, Json, Seed, SkipBad, console, print_json, print_line, require_distinct, writing

app = typer.Typer(help="Audit, pack and describe data sets.", no_args_is_help=True)


@app.command(epilog="Example: `python -m core data audit fer2013.csv --json`")
def audit(
    path: Annotated[Path, typer.Argument(help="A data set.")],
    split: ChosenSplit = None,
    seed: Seed = 0,
    json_output: Json = False,
    skip_bad: SkipBad = False,
) -> None:
    """Count what a data set contains: splits, classes, blank and identical images, conflicting labels."""
    from core.data import audit as audit_samples
    from core.data import read

    found = audit_samples(read(path, skip_bad=skip_bad, split=split, seed=seed)).to_json()
    if json_output:
        print_json(found)
        return
    counts = found.pop("counts")
    classes = list(next(iter(counts.values()), {}))
    table = Table("split", *classes, "all")
    for name, per_class in counts.items():
        table.add_row(name, *(f"{per_class.get(c, 0):,}" for c in classes), f"{sum(per_class.values()):,}")
    console.print(table)
    for name, value in found.items():
        if value == "":  # the data set has its own splits
            continue
        if isinstance(value, dict):
            shown = ", ".join(f"{k} {v:,}" for k, v in value.items())
        else:
            shown = value if isinstance(value, str) else f"{value:,}"
        print_line(f"{name.replace('_', ' ')}: {shown}")


@app.command(epilog="Example: `python -m core data pack fer2013.csv fer2013new.csv fer2013.parquet`")
def pack(
    files: Annotated[list[Path], typer.Argument(help="OFFICIAL_CSV [FERPLUS_CSV] OUT.parquet", metavar="CSV… OUT")],
) -> None:
    """Pack the official CSV files into one Parquet file with lossless images, a fifth of the size."""
    from core.data import pack as pack_csv

    if len(files) not in (2, 3):
        raise typer.BadParameter("expected OFFICIAL_CSV [FERPLUS_CSV] OUT.parquet")
    *sources, target = files
    _require_table(target, sources)
    with writing(target):
        rows = pack_csv(sources[0], target, sources[1] if len(sources) == 2 else None)
    print_line(f"{rows:,} rows in {target}")


@app.command(epilog="Example: `python -m core data describe fer2013.csv`")
def describe(
    path: Annotated[Path, typer.Argument(help="A data set.")],
    out: Annotated[Path | None, typer.Argument(help="OUT.parquet; by default a file in core/assets.")] = None,
    size_px: Annotated[int, typer.Option(min=8, help="Size of the images in px, as the networks were trained.")] = 48,
    channels: Annotated[int, typer.Option(min=1, max=3, help="1 for gray, 3 for RGB.")] = 1,
    split: ChosenSplit = None,
    seed: Seed = 0,
    json_output: Json = False,
    skip_bad: SkipBad = False,
) -> None:
    """Write a small table of numbers on every image (brightness, sharpness, copies, votes), without any pixel."""
    from core.data import describe as describe_samples
    from core.data import read
    from core.data.image_facts import table_path

    if out is not None:
        _require_table(out, [path])
    facts = describe_samples(read(path, size_px=size_px, channels=channels, skip_bad=skip_bad, split=split, seed=seed))
    target = out or table_path(facts)
    with writing(target):
        facts.save(target)
    size = target.stat().st_size
    if json_output:
        values = {"path": str(target), "rows": len(facts), "bytes": size, "name": facts.name}
        print_json({**values, "fingerprints": list(facts.fingerprints)})
        return
    print_line(f"{len(facts):,} rows in {target} ({size / 1e6:.2f} MB)")


def _require_table(target: Path, sources: Iterable[Path]) -> None:
    """Raises typer.BadParameter for a target that is not named as a Parquet file, and OutputError for one that would
    replace a file of the sources."""
    if target.suffix != ".parquet":
        raise typer.BadParameter(f"expected a file to write that ends in .parquet, got {target.name}")
    require_distinct(sources, [target])
