"""What the pages, the HTTP API, the live view and the batch share: loaded networks, detectors and bounded caches.

PyTorch, which takes seconds, is imported by the methods that need it, so that pages can be drawn before.
Results are shared between threads and must not be modified. Photos and everything computed from them belong to one
session and stay in its ``PhotoStore``; nothing here refers to them after a call has returned.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core import checkpoints, heap
from core.caching import Cache, file_stamp
from core.checkpoints import Checkpoint, CheckpointFolder, Listing, ModelCard
from core.data import DatasetInfo, ImageFacts, Samples, data_stamp, describe, facts_for, image_facts, overview, read
from core.data.identity import identify
from core.data.single_images import SingleImages, read_images
from core.ensembles import with_members
from core.errors import CheckpointError, DataError, RecipeError
from core.evaluation import EvaluationRun, RunSummary, ensemble_run, summarize
from core.evaluation.embedding import Embedding
from core.evaluation.tsne import TsneMap
from core.faces import AUTO, Detector, first_available
from core.faces import detector as make_detector

if TYPE_CHECKING:
    import torch

    from core.explain import Explanation
    from core.inference import PhotoAnalysis, Predictor
    from core.robustness import Robustness

Result = TypeVar("Result")


class Runtime:
    """Networks below ``root`` on one device, with what is computed from them. Safe in several threads.

    Raises DeviceError for a device that this machine does not have. ``auto`` is resolved when it is first needed.
    """

    def __init__(self, root: Path = checkpoints.ROOT, device: str = "auto") -> None:
        self.root = root
        self._device_name = device
        if device != "auto":
            self.device  # noqa: B018
        # Results of data sets that take long enough to show their progress, under keys of the caller's choice.
        self.results = Cache(64)
        self._listings = Cache(1)
        self._predictors = Cache(12)
        self._detectors = Cache(8)
        self._evaluations = Cache(32)
        self._ensembles = Cache(4)
        self._summaries = Cache(64)
        self._embeddings = Cache(16)
        self._robustness = Cache(32)
        self._image_maps = Cache(64)
        self._facts = Cache(4)
        self._card_samples = Cache(2)
        self.single_images = SingleImages()
        self._data_sets = Cache(1)
        self._mean_faces = Cache(6)
        self._findings = Cache(4)
        self._latency_lock = threading.Lock()
        self._latencies_ms: dict[tuple[str, str], float] = {}  # by run id and SHA-256 of the weights

    # Networks

    @cached_property
    def device(self) -> torch.device:
        """Where the networks are."""
        from core.device import resolve_device

        return resolve_device(self._device_name)

    def listing(self) -> Listing:
        """The installed networks, read again after a file of a checkpoint has changed."""
        folders = [CheckpointFolder(path) for path in sorted(self.root.glob("*"))]
        key = tuple((f.path, file_stamp(f.card_path, f.weights_path)) for f in folders)
        return self._listings.get(key, lambda: checkpoints.list_checkpoints(self.root))

    def predictor(self, checkpoint: Checkpoint) -> Predictor:
        """A network ready for use. Raises CheckpointError if its weights do not match the card."""
        from core.inference import Predictor

        card = checkpoint.card
        stamp = file_stamp(checkpoint.weights_path, checkpoint.onnx_path)
        key = (checkpoint.path, card.weights_sha256, card.temperature, stamp)
        return self._predictors.get(key, lambda: Predictor.load(checkpoint, self.device, "auto"))

    def predictors(
        self, run_ids: Sequence[str] | None = None, *, report: Callable[[str], None] | None = None
    ) -> list[Predictor]:
        """The networks of these names, which may be those of ensembles (``core.ensembles``), or the default ones
        (:attr:`Listing.default`) that can be loaded.

        ``report`` receives a sentence about each of the others. Raises CheckpointError if a named network is unknown
        or damaged, and if there is no network.
        """
        listing = self.listing()
        if run_ids:
            return [self.predictor(listing.get(run_id)) for run_id in with_members(run_ids)]
        found, problems = [], list(listing.problems)
        for checkpoint in listing.default:
            try:
                found.append(self.predictor(checkpoint))
            except CheckpointError as error:
                problems.append(str(error))
        if not found:
            reasons = "; ".join(problems) or "train one with: python -m core train cnn --data fer2013.csv"
            raise CheckpointError(f"there is no trained network in {self.root}; {reasons}")
        for problem in problems:
            if report is not None:
                report(problem)
        return found

    def loaded_predictors(self) -> list[Predictor]:
        """The networks that are in memory now."""
        return self._predictors.results()

    def detector(self, name: str) -> Detector:
        """A face detector. Raises UnknownDetectorError and DetectorUnavailableError."""
        build = (lambda: first_available(self.detector)) if name == AUTO else (lambda: make_detector(name))
        return self._detectors.get(name, build)

    def analyze(
        self,
        image: np.ndarray,
        predictors: Sequence[Predictor],
        detector: str,
        *,
        whole_image: bool = False,
        rotation_deg: int | None = None,
        max_faces: int | None = None,
    ) -> PhotoAnalysis:
        """The faces of an upright RGB photo (H, W, 3) and the predictions for them; see ``core.inference.analyze``."""
        from core.inference import analyze

        heap.count_analysis()
        return analyze(
            image,
            self.detector(detector),
            predictors,
            whole_image=whole_image,
            rotation_deg=rotation_deg,
            max_faces=max_faces,
        )

    def measure_latency(self, checkpoint: Checkpoint) -> float:
        """Milliseconds per face on this machine: the median of 30 predictions, one network at a time.

        Raises CheckpointError and NotFiniteError for a network that cannot predict.
        """
        from core.inference import milliseconds_per_face

        predictor = self.predictor(checkpoint)
        with self._latency_lock:
            elapsed_ms = milliseconds_per_face(predictor)
            self._latencies_ms[checkpoint.card.run_id, checkpoint.card.weights_sha256] = elapsed_ms
        return elapsed_ms

    def measured_latency(self, checkpoint: Checkpoint) -> float | None:
        """The last result of :meth:`measure_latency`, None if this network was not measured."""
        return self._latencies_ms.get((checkpoint.card.run_id, checkpoint.card.weights_sha256))

    # Stored with the checkpoints

    def evaluation(self, checkpoint: Checkpoint, split: str) -> EvaluationRun:
        """The stored predictions of a network. Raises CheckpointError if that split has none that can be used."""
        path = checkpoint.predictions_path(split)
        key = (path, file_stamp(path), checkpoint.card.weights_sha256, checkpoint.card.temperature)
        return self._evaluations.get(key, lambda: checkpoint.evaluation(split))

    def embedding(self, checkpoint: Checkpoint, split: str) -> Embedding:
        """The stored embedding of a split. Raises CheckpointError naming the command that computes it."""
        path = checkpoint.embeddings_path(split)
        key = (path, file_stamp(path), checkpoint.card.weights_sha256)
        return self._embeddings.get(key, lambda: checkpoint.embedding(split))

    def tsne(self, checkpoint: Checkpoint, split: str) -> TsneMap | None:
        """The stored t-SNE map of an embedding, None if none fits it. Raises CheckpointError as :meth:`embedding`."""
        path = checkpoint.tsne_path(split)
        key = (path, file_stamp(path, checkpoint.embeddings_path(split)), checkpoint.card.weights_sha256)
        return self._embeddings.get(key, lambda: checkpoint.tsne(split))

    def robustness(self, checkpoint: Checkpoint, split: str) -> Robustness | None:
        """The stored robustness of a split; None if it was not measured. Raises RobustnessError for a damaged file."""
        from core.robustness import load_robustness

        path = checkpoint.robustness_path(split)
        key = (path, file_stamp(path), checkpoint.card.weights_sha256)
        return self._robustness.get(key, lambda: load_robustness(checkpoint, split))

    # Runs are compared by identity and come from these caches, so they can be keys themselves.

    def ensemble(self, runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None) -> EvaluationRun:
        """The weighted mean of the networks' probabilities. Raises EvaluationError for runs on other images."""
        shares = tuple(weights or [1.0] * len(runs))
        return self._ensembles.get((*runs, shares), lambda: ensemble_run(runs, shares))

    def summary(self, run: EvaluationRun) -> RunSummary:
        """Scores with their intervals."""
        return self._summaries.get(run, lambda: summarize(run))

    # Data sets

    def has_read(self, source: Path) -> bool:
        """Whether :meth:`data_set` has this data set already."""
        return data_stamp(source) in self._data_sets

    def data_set(self, source: Path) -> tuple[Samples, ImageFacts]:
        """Every image of a data set, gray at 48 px, with the facts about each. Raises DataError if unreadable."""

        def compute() -> tuple[Samples, ImageFacts] | DataError:
            try:
                samples = read(source)
            except DataError as error:
                return error
            try:
                return samples, facts_for(samples.fingerprint())
            except DataError:  # no table was made from it
                return samples, describe(samples)

        return _returned(self._data_sets.get(data_stamp(source), compute))

    def card_samples(self, card: ModelCard, source: Path) -> Samples:
        """The validation and test images of a network's data set, with the labels that the network learned.

        With ``target = "ferplus"`` these are the labels of the FER+ majority, which fewer images have. Raises DataError
        if ``source`` cannot be read or is not the data set of the card.
        """
        from core.training import labeled_for, recipe_from

        card.require_known_data()
        try:
            recipe = recipe_from(card.recipe)
        except RecipeError as error:
            raise DataError(f"the labels that {card.run_id} learned are unknown: {error}") from error
        seen, learned = card.preprocessing, (card.labels.classes, recipe.labels, recipe.target)
        key = (data_stamp(source), seen.size_px, seen.channels, *learned, card.data.shares)

        def compute() -> tuple[Samples, DatasetInfo] | DataError:
            try:
                labeled = samples = card.read_data(source)
                with contextlib.suppress(RecipeError):  # other classes than the network's: the fingerprint will differ
                    labeled = labeled_for(card, recipe, samples)
            except DataError as error:
                return error
            # The training images are needed for the fingerprint only.
            return labeled.select(labeled.split != "train"), identify(samples, labeled)

        samples, found = _returned(self._card_samples.get(key, compute))
        card.require_data(source, found)
        return samples

    def facts(self, card: ModelCard) -> ImageFacts:
        """Numbers about every image of a network's data set: brightness, copies, votes. The images are not needed.

        Raises DataError naming the command that writes the table if there is none for that data set.
        """
        card.require_known_data()
        folder, data = image_facts.FOLDER, card.data
        files = tuple(sorted(folder.glob(f"*{image_facts.SUFFIX}")))
        try:
            key = (files, file_stamp(*files), data.fingerprints)
            return self._facts.get(key, lambda: image_facts.facts_about(data, folder))
        except DataError as error:
            options = f"--size-px {card.preprocessing.size_px} --channels {card.preprocessing.channels}"
            if shares := data.shares:
                options += f" --split {shares.percentages} --seed {shares.seed}"
            raise DataError(
                f"{error}; create one for {data.title} with: python -m core data describe DATA {options}"
            ) from error

    def image_maps(
        self, predictor: Predictor, samples: Samples, image_ids: tuple[int, ...], class_indices: tuple[int, ...]
    ) -> tuple[Explanation, ...]:
        """Saliency maps of images of :meth:`card_samples`, each for its own class. Raises NotFiniteError."""
        from core.inference import explain_images

        # The network determines the data set, and its row numbers the images.
        key = (predictor.key, image_ids, class_indices)
        stage = predictor.network.closed_form_stage
        images = samples.images[np.searchsorted(samples.ids, image_ids)]
        return self._image_maps.get(key, lambda: explain_images(predictor, list(images), class_indices, stage=stage))

    def mean_faces(self, source: Path, split: str) -> dict[str, tuple[np.ndarray, int]]:
        """The average image of each class of a split, of at most 1,000 images, and their number. Raises DataError."""

        def compute() -> dict[str, tuple[np.ndarray, int]]:
            if (facts := self.single_images.recognized(source)) is None:
                return overview.mean_faces(self.data_set(source)[0], split)
            rows = overview.rows_of_mean_faces(facts, split)
            return overview.mean_faces(read_images(source, facts, rows, compare=False), split)

        return self._mean_faces.get((data_stamp(source), split), compute)

    def findings(self, facts: ImageFacts) -> overview.Findings:
        """Copies, contradictory labels and blank images of a data set."""
        return self._findings.get(facts.fingerprints, lambda: overview.findings(facts))


def _returned(result: Result | DataError) -> Result:
    """Errors of reading are stored as results, so that a click does not read the whole data set again."""
    if isinstance(result, DataError):
        raise result.with_traceback(None)  # which would keep the frames of every caller
    return result
