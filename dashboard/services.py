"""The only door from the screen to core: every cache and every lock is here, and every cache is bounded.

Cached resources are shared by all sessions and are never written to. Photos are keyed by the SHA-256 of their bytes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core import checkpoints, images
from core.checkpoints import Checkpoint, Listing, ModelCard
from core.data import FERPLUS_FILE, ImageFacts, Samples, facts_for, image_facts, read
from core.errors import CheckpointError, DataError, NotFiniteError, RecipeError
from core.evaluation import EvaluationRun, RunSummary, ensemble_run, summarize
from core.evaluation import error_table as make_error_table
from core.faces import MEASURED, CropMargin, Detector, crop
from core.faces import detector as make_detector
from core.inference import ENSEMBLE, ClassMaps, PhotoAnalysis, Predictor, analyze, class_saliency
from core.inference.timing import milliseconds_per_face
from core.robustness import Robustness, load_robustness
from core.sample_photos import SamplePhoto, sample_photos
from core.training import Recipe, recipe_from, training_samples
from dashboard import memory
from dashboard.shelf import Shelf
from dashboard.state import Photo

DATA_VARIABLE = "FERSCOPE_DATA"
# An analysis keeps its photo: twelve of 12 megapixels fit, and two of the largest that are let in.
ANALYSES_BYTES = 420 << 20
DETECTORS = {"haar": "Haar cascade (offline)", "yunet": "YuNet (fetched on first use)"}


def networks() -> Listing:
    """The installed networks, read again when a card or a weights file has changed."""
    return _networks(checkpoints.ROOT, _stamp(checkpoints.ROOT))


@st.cache_resource(max_entries=4, show_spinner=False)
def _networks(root: Path, stamp: tuple[tuple[str, int], ...]) -> Listing:  # noqa: ARG001  (a cache key)
    return checkpoints.list_checkpoints(root)


def _stamp(root: Path) -> tuple[tuple[str, int], ...]:
    folders = [checkpoints.CheckpointFolder(p) for p in root.glob("*") if p.is_dir()]
    files = [f for c in folders for f in (c.card_path, c.weights_path) if f.exists()]
    return tuple(sorted((str(f), f.stat().st_mtime_ns) for f in files))


def _changed(*paths: Path) -> int:
    """Another number once one of the files is written, comes or goes."""
    return sum(p.stat().st_mtime_ns for p in paths if p.exists())


def predictor(checkpoint: Checkpoint) -> Predictor:
    """A network ready for use. Raises CheckpointError when its weights are not the card's."""
    stamp = _changed(checkpoint.weights_path)
    return _predictor(checkpoint.card.run_id, checkpoint.card.weights_sha256, stamp, checkpoint)


@st.cache_resource(max_entries=12, show_spinner="Loading the network …")
def _predictor(run_id: str, sha256: str, stamp: int, _checkpoint: Checkpoint) -> Predictor:  # noqa: ARG001
    return Predictor.load(_checkpoint)


def milliseconds_of(chosen: Sequence[Checkpoint]) -> dict[str, float]:
    """Milliseconds a face on this machine, measured once for each network; without those that do not load or answer."""
    found = {}
    for checkpoint in chosen:
        with contextlib.suppress(CheckpointError, NotFiniteError):
            found[checkpoint.card.run_id] = _milliseconds(
                checkpoint.card.run_id, checkpoint.card.weights_sha256, checkpoint
            )
    return found


@st.cache_resource(max_entries=12, show_spinner="Measuring how long a face takes …")
def _milliseconds(run_id: str, sha256: str, _checkpoint: Checkpoint) -> float:  # noqa: ARG001
    return milliseconds_per_face(predictor(_checkpoint))


@st.cache_resource(max_entries=4, show_spinner="Preparing the face detector …")
def detector(name: str) -> Detector:
    """A face detector. Raises DetectorUnavailableError when its model file cannot be had."""
    return make_detector(name)


def analysis(photo: Photo, predictors: list[Predictor], detector_name: str, *, whole_image: bool) -> PhotoAnalysis:
    """Faces and answers for one photo. Raises ImageError for bytes that are no photo."""
    networks_key = tuple((p.model_id, p.card.weights_sha256) for p in predictors)
    key, shelf = (photo.digest, networks_key, detector_name, whole_image), _analyses()

    def make() -> PhotoAnalysis:
        found_by = detector(detector_name)
        with st.spinner("Looking for faces and asking the networks …"):
            memory.analyzed()
            return analyze(images.decode(photo.data), found_by, predictors, whole_image=whole_image)

    return shelf.get(key, make)


@st.cache_resource(max_entries=1, show_spinner=False)
def _analyses() -> Shelf:
    return Shelf(12, most_bytes=ANALYSES_BYTES, weigh=lambda analysis: analysis.nbytes)


def saliency(photo: Photo, found: PhotoAnalysis, face_number: int, network: Predictor, stage: str) -> ClassMaps:
    """Maps of every class for one face of an analysis."""
    return _saliency(
        photo.digest, found.detector, face_number, network.model_id, network.card.weights_sha256, stage, found, network
    )


@st.cache_resource(max_entries=256, show_spinner=False)
def _saliency(
    digest: str,  # noqa: ARG001
    detector_name: str,  # noqa: ARG001
    face_number: int,
    model_id: str,  # noqa: ARG001
    sha256: str,  # noqa: ARG001
    stage: str,
    _analysis: PhotoAnalysis,
    _predictor: Predictor,
) -> ClassMaps:
    return class_saliency(_predictor, _analysis.faces[face_number], stage)


@st.cache_resource(max_entries=1, show_spinner=False)
def samples() -> dict[str, SamplePhoto]:
    """Public-domain portraits to try."""
    return sample_photos()


def evaluation(checkpoint: Checkpoint, split: str) -> EvaluationRun:
    """The stored answers of a network. Raises CheckpointError when it has none for that split."""
    card, stamp = checkpoint.card, _changed(checkpoint.predictions_path(split))
    return _evaluation(card.run_id, card.weights_sha256, card.temperature, split, stamp, checkpoint)


@st.cache_resource(max_entries=32, show_spinner=False)
def _evaluation(
    run_id: str,  # noqa: ARG001
    sha256: str,  # noqa: ARG001
    temperature: float,  # noqa: ARG001
    split: str,
    stamp: int,  # noqa: ARG001
    _checkpoint: Checkpoint,
) -> EvaluationRun:
    return _checkpoint.evaluation(split)


def ensemble(runs: list[EvaluationRun], weights: Sequence[float] | None = None) -> EvaluationRun:
    """The weighted mean of the networks' probabilities. Raises EvaluationError for runs on other images."""
    shares = tuple(weights or [1.0] * len(runs))
    return _ensemble(runs[0].split, tuple((r.model_id, r.temperature, logits_key(r)) for r in runs), shares, runs)


@st.cache_resource(max_entries=4, show_spinner=False)
def _ensemble(
    split: str,  # noqa: ARG001
    key: tuple[tuple[str, float, float], ...],  # noqa: ARG001
    weights: tuple[float, ...],
    _runs: list[EvaluationRun],
) -> EvaluationRun:
    return ensemble_run(_runs, weights, model_id=ENSEMBLE)


def summary(run: EvaluationRun) -> RunSummary:
    """Scores with intervals, computed once for an evaluation."""
    return _summary(run.model_id, run.split, run.temperature, logits_key(run), run)


def logits_key(run: EvaluationRun) -> float:
    """Tells two evaluations of the same name apart: a retrained network has other logits."""
    return float(np.float64(run.logits.sum()))


@st.cache_resource(max_entries=64, show_spinner=False)
def _summary(model_id: str, split: str, temperature: float, key: float, _run: EvaluationRun) -> RunSummary:  # noqa: ARG001
    return summarize(_run)


def history(checkpoint: Checkpoint) -> pd.DataFrame:
    """One row an epoch; empty where the run kept none."""
    return checkpoint.history()


def error_table(run: EvaluationRun, others: list[EvaluationRun]) -> pd.DataFrame:
    """One row an image of ``run``, with what the others answered. Raises EvaluationError for runs on other images."""
    key = tuple((r.model_id, r.temperature, logits_key(r)) for r in [run, *others])
    return _error_table(run.split, key, run, others)


@st.cache_resource(max_entries=8, show_spinner=False)
def _error_table(
    split: str,  # noqa: ARG001
    key: tuple[tuple[str, float, float], ...],  # noqa: ARG001
    _run: EvaluationRun,
    _others: list[EvaluationRun],
) -> pd.DataFrame:
    return make_error_table(_run, _others)


def dataset(card: ModelCard) -> Samples:
    """The images a network was chosen and scored on, from the data set that FERSCOPE_DATA names.

    They have the labels that the network learned: with ``target = "ferplus"`` those of the FER+ majority, which fewer
    images have. Raises DataError where it names none, one that cannot be read, or another one than the card's.
    """
    source = os.environ.get(DATA_VARIABLE, "")
    if not source:
        raise DataError(f"the images are not on this machine: set {DATA_VARIABLE} to the path of {card.data.title}")
    # The votes are read from beside the images, and may be put there later.
    stamp = _changed(Path(source), Path(source).parent / FERPLUS_FILE)
    try:
        recipe = recipe_from(card.recipe)
    except RecipeError as error:
        raise DataError(f"which labels {card.run_id} learned is not known: {error}") from error
    seen = card.preprocessing
    found = _dataset(source, stamp, seen.size_px, seen.channels, recipe.labels, recipe.target, recipe)
    if isinstance(found, DataError):
        raise found
    samples, fingerprint = found
    if not card.data.matches(fingerprint):
        raise DataError(
            f"{DATA_VARIABLE} names another data set than the one of {card.run_id}: {card.data.mismatch(fingerprint)}"
        )
    return samples


# The training images are only read for the fingerprint; an error is kept too, or each click would read all again.
@st.cache_resource(max_entries=2, show_spinner="Reading the data set …", show_time=True)
def _dataset(
    source: str,
    stamp: int,  # noqa: ARG001
    size_px: int,
    channels: int,
    labels: str,  # noqa: ARG001
    target: str,  # noqa: ARG001
    _recipe: Recipe,
) -> tuple[Samples, str] | DataError:
    try:
        samples = read(source, size_px=size_px, channels=channels)
        with contextlib.suppress(RecipeError):  # other classes than the network's: the fingerprint will differ
            samples = training_samples(_recipe, samples)
    except DataError as error:
        return error
    return samples.select(samples.split != "train"), samples.fingerprint()


def facts(card: ModelCard) -> ImageFacts:
    """Numbers on every image of the data set of a network: brightness, copies, votes; no image is needed for them.

    Raises DataError where no table fits that data set, with the command that makes one.
    """
    folder, fingerprint = image_facts.FOLDER, card.data.fingerprint
    stamps = tuple((f.name, f.stat().st_mtime_ns) for f in sorted(folder.glob(f"*{image_facts.SUFFIX}")))
    try:
        return _facts(folder, stamps, fingerprint)
    except DataError as error:
        sizes = f"--size-px {card.preprocessing.size_px} --channels {card.preprocessing.channels}"
        raise DataError(
            f"{error}; make one for {card.data.title} with: python -m core data describe DATA {sizes}"
        ) from error


@st.cache_resource(max_entries=4, show_spinner=False)
def _facts(folder: Path, stamps: tuple[tuple[str, int], ...], fingerprint: str) -> ImageFacts:  # noqa: ARG001
    return facts_for(fingerprint, folder)


def robustness(checkpoint: Checkpoint, split: str) -> Robustness | None:
    """What was measured under perturbations; None where nothing was. Raises RobustnessError for a damaged file."""
    path = checkpoint.robustness_path(split)
    return _robustness(str(path), _changed(path), checkpoint.card.weights_sha256, split, checkpoint)


@st.cache_resource(max_entries=32, show_spinner=False)
def _robustness(path: str, stamp: int, sha256: str, split: str, _checkpoint: Checkpoint) -> Robustness | None:  # noqa: ARG001
    return load_robustness(_checkpoint, split)


def sample_crop(card: ModelCard) -> np.ndarray | None:
    """The face of the first sample portrait, framed as a network's training images are: (h, w, 3) uint8, or None."""
    margin = card.preprocessing.crop_margin.get("haar")
    return _sample_crop(CropMargin(*margin) if margin else MEASURED["haar"])


@st.cache_resource(max_entries=8, show_spinner=False)
def _sample_crop(margin: CropMargin) -> np.ndarray | None:
    image = images.decode(next(iter(samples().values())).data)
    faces = detector("haar").detect(image)
    return crop(image, faces[0], margin) if faces else None


@st.cache_resource(max_entries=1, show_spinner=False)
def lab_shelf() -> Shelf:
    """Where the panels of Analyze keep what was slow to make (``dashboard.lab.kept``)."""
    return Shelf(512)
