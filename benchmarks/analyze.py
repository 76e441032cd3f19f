"""The cost of explanations relative to predictions: ``python benchmarks/analyze.py [--json]``.

Ratios of medians within one run on the CPU, warm, batch size 1 unless stated otherwise, of the worst shipped network.

``maps_over_predict``: a prediction with the seven class maps at feature resolution ÷ only the prediction.
``closed_form_speedup``: seven calls of the grad-cam package's GradCAM ÷ one forward pass with all seven maps.
``eight_faces_over_one``: a photo with eight faces ÷ one of the same size with one, decode to maps, all networks.
``path_over_stages``: that path ÷ the sum of its stages called one by one.
``tuned_over_eager``: the network as FERscope runs it (norms folded, channels last) ÷ plain eager PyTorch.
``onnx_over_torch``: the exported network in ONNX Runtime ÷ in PyTorch as FERscope runs it.
``busy_over_quiet``: a photo, decode to maps, all networks, while another process uses one core ÷ without it.
``haar_over_mtcnn``, ``yunet_over_mtcnn``: a portrait of 512 px, detection only (YuNet if its file is available).
``group_over_portrait``: MTCNN on 24 faces of 150 px in 12 megapixels ÷ on one portrait of 12 megapixels: the pyramid.
``faceless_over_portrait``: MTCNN on 12 megapixels without a face ÷ on that portrait: the pyramid and three rotations.
``spin_cost_quiet``: that photo with FERscope's OpenMP setting ÷ with libgomp's own, on the idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import core  # noqa: F401  # before PyTorch, so that OpenMP is configured as in the app

# isort: split
import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from core.checkpoints import Checkpoint, list_checkpoints
from core.errors import DetectorUnavailableError
from core.explain import class_maps
from core.exporting.conversion import export
from core.faces import crop, detector, find_faces
from core.images import decode
from core.inference import Predictor, analyze
from core.inference.analysis import margin_for
from core.inference.backends import OnnxBackend
from core.models import Network
from core.sample_photos import sample_photos

REPEATS = 15
LIBGOMP_SPINCOUNT = "300000"  # what libgomp uses where nothing is set


class LogitsOnly(nn.Module):
    """The grad-cam package needs a module that returns logits only."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.network(faces).logits
        return logits


def seconds(*actions: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Median seconds of each action; they take turns, so that a machine that slows down slows all of them."""
    times: list[list[float]] = [[] for _ in actions]
    for repeat in range(repeats + 2):
        for taken, action in zip(times, actions, strict=True):
            begin = time.perf_counter()
            action()
            if repeat >= 2:  # the first turns warm up
                taken.append(time.perf_counter() - begin)
    return [statistics.median(t) for t in times]


def photo_of(faces: int, *, overturned: int = 0) -> bytes:
    """A 1280 x 960 JPEG with copies of a portrait on a uniform background, ``overturned`` further ones upside down.

    The detector finds no face in those but searches them as long, while it skips the uniform background quickly.
    """
    portrait = Image.open(io.BytesIO(sample_photos()["grace_hopper"].data)).convert("RGB").resize((300, 352))
    upside_down = portrait.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    canvas = Image.new("RGB", (1280, 960), (120, 130, 140))
    for number in range(faces + overturned):
        where = (10 + number % 4 * 318, 60 + number // 4 * 440)
        canvas.paste(portrait if number < faces else upside_down, where)
    buffer = io.BytesIO()
    canvas.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def maps_of(predictor: Predictor, features: list[np.ndarray]) -> Tensor:
    """Maps of all classes and faces from the features of predictions."""
    return class_maps(torch.from_numpy(np.stack(features)), predictor.network.head.weight)


def one_network(checkpoint: Checkpoint, predictor: Predictor, face: np.ndarray) -> dict[str, float]:
    """The four ratios of a single network, on one face crop."""
    network, inputs = predictor.network, predictor.card.preprocessing.to_tensor([face])
    eager = copy.deepcopy(network).to(memory_format=torch.contiguous_format)

    def predict() -> object:
        return predictor.predict([face])

    def predict_and_maps() -> object:
        return maps_of(predictor, [p.features for p in predictor.predict([face]) if p.features is not None])

    def forward_and_maps() -> object:
        with torch.inference_mode():
            return class_maps(network(inputs).features, network.head.weight)

    package = GradCAM(LogitsOnly(network), [network.stage_module(network.closed_form_stage)])

    def seven_calls() -> object:
        return [package(inputs, [ClassifierOutputTarget(k)]) for k in range(len(predictor.card.labels))]

    def as_run() -> object:
        with torch.inference_mode():
            return network.head(predictor.backend.trunk(inputs).mean(dim=(2, 3)))

    def as_built() -> object:
        with torch.no_grad():
            return eager(inputs)

    alone, with_maps, closed, packaged = seconds(predict, predict_and_maps, forward_and_maps, seven_calls)
    package.activations_and_grads.release()
    tuned, plain = seconds(as_run, as_built)
    onnx, images = OnnxBackend(export(checkpoint).data), np.stack(predictor.input_images([face]))
    by_onnx, by_torch = seconds(lambda: onnx.output(images), lambda: predictor.output(images))
    return {
        "maps_over_predict": with_maps / alone,
        "closed_form_speedup": packaged / closed,
        "tuned_over_eager": tuned / plain,
        "onnx_over_torch": by_onnx / by_torch,
    }


def detection() -> dict[str, float]:
    """The ratios of the detectors, including the slowest kinds of photos."""
    sample = sample_photos()["grace_hopper"].data
    portrait = Image.open(io.BytesIO(sample)).convert("RGB")
    large = np.asarray(portrait.resize((3200, 3750)))
    group = Image.new("RGB", (4032, 3024), "gray")
    for number in range(24):
        group.paste(portrait.resize((324, 380)), (number % 8 * 504 + 90, number // 8 * 1008 + 300))
    crowd, faceless = np.asarray(group), np.full((3024, 4032, 3), 128, np.uint8)
    mtcnn, haar = detector("mtcnn"), detector("haar")
    if len(mtcnn.detect(crowd)) != 24:
        raise SystemExit(f"MTCNN found {len(mtcnn.detect(crowd))} faces where 24 were drawn")

    small = decode(sample)
    actions = [lambda: find_faces(small, mtcnn), lambda: find_faces(small, haar)]
    with contextlib.suppress(DetectorUnavailableError):
        yunet = detector("yunet")
        actions.append(lambda: find_faces(small, yunet))
    of_mtcnn, of_haar, *of_yunet = seconds(*actions)
    one, many, none = seconds(
        *(lambda photo=photo: find_faces(photo, mtcnn) for photo in (large, crowd, faceless)), repeats=3
    )
    return {
        "haar_over_mtcnn": of_haar / of_mtcnn,
        **({"yunet_over_mtcnn": of_yunet[0] / of_mtcnn} if of_yunet else {}),
        "group_over_portrait": many / one,
        "faceless_over_portrait": none / one,
    }


def whole_path(predictors: list[Predictor]) -> dict[str, float]:
    """The ratios of the path from bytes to maps, with all networks."""
    find = detector("haar")
    one, eight, one_of_eight = photo_of(1), photo_of(8), photo_of(1, overturned=7)

    def path(data: bytes) -> int:
        analysis = analyze(decode(data), find, predictors)
        for predictor in predictors:
            features = [face.predictions[predictor.model_id].features for face in analysis.faces]
            maps_of(predictor, [f for f in features if f is not None])
        return len(analysis.faces)

    for data, expected in ((one, 1), (eight, 8), (one_of_eight, 1)):
        if path(data) != expected:
            raise SystemExit(f"the detector found {path(data)} faces where {expected} were drawn")

    image = decode(one)
    faces = find.detect(image)
    crops = [crop(image, f, margin_for(predictors[0].card, "haar")) for f in faces]
    features = [[p.features for p in predictor.predict(crops) if p.features is not None] for predictor in predictors]
    stages: list[Callable[[], object]] = [
        lambda: decode(one),
        lambda: find.detect(image),
        lambda: [crop(image, f, margin_for(predictors[0].card, "haar")) for f in faces],
        *(lambda p=p: p.predict(crops) for p in predictors),
        *(lambda p=p, a=a: maps_of(p, a) for p, a in zip(predictors, features, strict=True)),
    ]
    with_one, with_eight, with_one_of_eight, *alone = seconds(
        lambda: path(one), lambda: path(eight), lambda: path(one_of_eight), *stages
    )
    return {
        "eight_faces_over_one": with_eight / with_one,
        "eight_faces_over_one_of_eight": with_eight / with_one_of_eight,  # seven upside down
        "path_over_stages": with_one / sum(alone),
    }


def photo_milliseconds(**environment: str) -> float:
    """Median milliseconds of a photo with one face, decode to maps, all networks, in a separate process."""
    command = [sys.executable, __file__, "--photo"]
    child = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return float(child.stdout)


def print_photo_milliseconds(predictors: list[Predictor]) -> None:
    """Print the number that :func:`photo_milliseconds` reads."""
    find, data = detector("haar"), photo_of(1)

    def path() -> None:
        analysis = analyze(decode(data), find, predictors)
        for predictor in predictors:
            features = [face.predictions[predictor.model_id].features for face in analysis.faces]
            maps_of(predictor, [f for f in features if f is not None])

    print(seconds(path)[0] * 1e3)


@contextlib.contextmanager
def one_busy_core() -> Iterator[None]:
    """Run another process that computes without a pause."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def with_other_processes() -> dict[str, float]:
    """The ratios with other processes on the machine; medians of three processes each."""

    def median(**environment: str) -> float:
        return statistics.median(photo_milliseconds(**environment) for _ in range(3))

    quiet, with_libgomps = median(), median(GOMP_SPINCOUNT=LIBGOMP_SPINCOUNT)
    with one_busy_core():
        busy = median()
    return {"busy_over_quiet": busy / quiet, "spin_cost_quiet": quiet / with_libgomps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    parser.add_argument("--photo", action="store_true", help="print the milliseconds of one photo and nothing else")
    arguments = parser.parse_args()
    checkpoints = list_checkpoints().default
    predictors = [Predictor.load(c) for c in checkpoints]
    if not predictors:
        raise SystemExit("no network is installed; train one with: python -m core train cnn --data fer2013.csv")
    if arguments.photo:
        print_photo_milliseconds(predictors)
        return
    image = decode(sample_photos()["grace_hopper"].data)
    face = crop(image, detector("haar").detect(image)[0], margin_for(predictors[0].card, "haar"))
    results = {p.model_id: one_network(c, p, face) for c, p in zip(checkpoints, predictors, strict=True)}
    worst = {
        "maps_over_predict": max(r["maps_over_predict"] for r in results.values()),
        "closed_form_speedup": min(r["closed_form_speedup"] for r in results.values()),
        "tuned_over_eager": max(r["tuned_over_eager"] for r in results.values()),
        "onnx_over_torch": max(r["onnx_over_torch"] for r in results.values()),
        **detection(),
        **whole_path(predictors),
        **with_other_processes(),
    }
    if arguments.json:
        print(json.dumps(worst))
        return
    for name, values in results.items():
        print(name, ", ".join(f"{key} {value:.3f}" for key, value in values.items()))
    print("worst:", ", ".join(f"{key} {value:.3f}" for key, value in worst.items()))


if __name__ == "__main__":
    main()
