"""``python -m core analyze``: photos -> faces -> what each network predicts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from core import checkpoints, images
from core.cli.output import (
    DetectorName,
    Device,
    Json,
    Models,
    Root,
    console,
    print_json,
    print_line,
    require_between,
    warn,
    writing,
)
from core.errors import BatchError, ExplainError, ImageError, NotFiniteError

if TYPE_CHECKING:
    from core.batch.entry import Entry
    from core.inference import FaceAnalysis, PhotoAnalysis, Predictor
    from core.records import FaceDetails, FaceRecord, PhotoRecord
    from core.runtime import Runtime

app = typer.Typer()


@app.command(epilog="Example: `python -m core analyze photo.jpg --model cnn --explain maps --json`")
def analyze(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders that are searched for photos.")],
    model: Models = None,
    detector: DetectorName = "auto",
    temperature: Annotated[
        float | None, typer.Option(help="Divide the logits by this, instead of by the temperature of each card.")
    ] = None,
    whole_image: Annotated[
        bool, typer.Option("--whole-image", help="Use the central square of the photo as the face.")
    ] = False,
    explain: Annotated[
        Path | None, typer.Option(help="Write saliency maps of the predicted classes (PNG) into this folder.")
    ] = None,
    device: Device = "auto",
    json_output: Json = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Find the faces in photos and print what each network predicts for them.

    A photo that cannot be analyzed is reported, the others are analyzed, and the exit status is 1 at the end.
    """
    from core.inference import TEMPERATURES
    from core.records import AnalysisRecord, PhotoRecord
    from core.runtime import Runtime

    runtime = Runtime(root, device)
    predictors = runtime.predictors(model, report=warn)
    if temperature is not None:
        require_between("--temperature", temperature, *TEMPERATURES)
        predictors = [predictor.at_temperature(temperature) for predictor in predictors]
    runtime.detector(detector)  # so that an unknown detector is reported once, not for every photo
    records: list[PhotoRecord] = []
    for entry in find_photos(photos):
        try:
            record = _analyzed(entry, runtime, predictors, detector, whole_image=whole_image, folder=explain)
        except (ImageError, NotFiniteError) as error:
            record = PhotoRecord(path=entry.path, error=error.sentence)
            warn(f"{entry.path}: {error}")
        records.append(record)
        if not json_output and record.error is None:
            _print(record)
    if json_output:
        print_json(AnalysisRecord.of(records, (p.card for p in predictors)).model_dump())
    failed = sum(record.error is not None for record in records)
    if failed:
        warn(f"{failed} of {len(records)} photos could not be analyzed.")
        raise typer.Exit(1)


def find_photos(paths: Iterable[Path]) -> list[Entry]:
    """The files given and the photos that a batch would find below the folders given, each once.

    A folder without a photo is returned itself, so that it is reported like a photo that cannot be read.
    """
    from core.batch.entry import Entry

    found: dict[str, Entry] = {}
    for path in paths:
        for entry in _photos_below(path) if path.is_dir() else [Entry(str(path))]:
            # Not Path.resolve(), which raises for a loop of links.
            found.setdefault(os.path.realpath(entry.path), entry)
    return list(found.values())


def _photos_below(folder: Path) -> list[Entry]:
    from core.batch.entry import Entry
    from core.batch.listing import FolderSource

    limit = folder.resolve()
    try:
        found = list(FolderSource(limit, limit).entries())
    except BatchError as error:
        return [Entry(str(folder), problem=str(error))]
    suffixes = ", ".join(sorted(images.SUFFIXES))
    return [replace(entry, path=str(folder / entry.path)) for entry in found] or [
        Entry(str(folder), problem=f"the folder contains no image file; expected one of {suffixes}")
    ]


def _analyzed(
    entry: Entry,
    runtime: Runtime,
    predictors: Sequence[Predictor],
    detector: str,
    *,
    whole_image: bool,
    folder: Path | None,
) -> PhotoRecord:
    from core.batch.listing import read_file
    from core.records import PhotoRecord

    if entry.problem:
        raise ImageError(entry.problem)
    path = Path(entry.path)
    data = read_file(path, None)
    image = images.decode(data)
    if hint := images.darkness_hint(image):
        warn(f"{path}: {hint}")
    analysis = runtime.analyze(image, predictors, detector, whole_image=whole_image)
    if analysis.left_out:
        warn(f"{path}: {NotFiniteError(*analysis.left_out)}; continuing with the other networks")
    if folder is None:
        return PhotoRecord.of(path, analysis)
    # The digest distinguishes photos of the same name from different folders and calls.
    name = f"{path.stem}-{images.digest(data)[:8]}"
    details = [
        _write_maps(folder, f"{name}-face{number}", face, analysis, predictors)
        for number, face in enumerate(analysis.faces, start=1)
    ]
    return PhotoRecord.of(path, analysis, details)


def _write_maps(
    folder: Path, name: str, face: FaceAnalysis, analysis: PhotoAnalysis, predictors: Sequence[Predictor]
) -> FaceDetails:
    """Two PNGs per network: the map on the network's input, and on the photo at the photo's resolution."""
    from core.explain import overlay
    from core.inference import explain_face, margin_for, overlay_on_photo
    from core.records import FaceDetails

    maps = {}
    for predictor in analysis.predicting(predictors):
        prediction = face.predictions[predictor.model_id]
        try:
            (found,) = explain_face(predictor, face, targets=prediction.top)
        except ExplainError as error:
            warn(f"{name}: {error}")
            continue
        maps[predictor.model_id] = found
        margin = margin_for(predictor.card, analysis.detector)
        pictures = {
            "input": overlay(face.inputs[predictor.model_id], found.heatmap),
            "photo": overlay_on_photo(analysis.image, face.face, margin, found.heatmap),
        }
        expression = "".join(c if c.isalnum() else "_" for c in prediction.expression)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for kind, picture in pictures.items():
                target = folder / f"{name}-{predictor.model_id}-{expression}-{kind}.png"
                target.write_bytes(images.encode_png(picture))
    return FaceDetails(maps=maps)


def _print(photo: PhotoRecord) -> None:
    if not photo.faces:
        from core.faces import detectors

        others = " or ".join(f"--detector {name}" for name in detectors() if name != photo.detector)
        print_line(f"{photo.path}: {photo.detector} found no face; try {others}, or --whole-image")
        return
    table = Table("face", "network", "expression", "probability", title=photo.path)
    for face in photo.faces:
        _add_rows(table, face)
    console.print(table)


def _add_rows(table: Table, face: FaceRecord) -> None:
    number = f"{face.number} (uncertain detection)" if face.uncertain else str(face.number)
    for group in face.groups:
        named = dict(group.predictions)
        if group.ensemble:
            named[f"ensemble of {len(named)}"] = group.ensemble
        for name, prediction in named.items():
            table.add_row(number, name, prediction.expression, f"{prediction.confidence:.3f}")
