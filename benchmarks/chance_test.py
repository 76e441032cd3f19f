"""How many maps are better than chance: ``python benchmarks/chance_test.py --data fer2013.csv [--json]``.

For each shipped network, the Grad-CAM maps of random test images at the card's stage and for the predicted class,
compared with 99 moved copies of themselves (``core.explain.chance_test``). With ``--maps smooth``, random smooth maps
that have nothing to do with the image take their place: the share that passes is the rate of false positives, about
0.05. One map takes seconds on a CPU.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scipy.ndimage import gaussian_filter

from core.checkpoints import list_checkpoints
from core.data import Samples, read
from core.explain import chance_test, explain
from core.inference import Predictor
from core.probes import explained_probability

SMOOTH_SIGMA_PX = 6.0


def passed(predictor: Predictor, samples: Samples, images: int, seed: int, maps: str) -> int:
    """The number of maps with p <= 0.05 among ``images`` random images of the test split."""
    test, found = samples.of("test"), 0
    random = np.random.default_rng(seed)
    chosen = random.choice(len(test), images, replace=False)
    for image in test.images[chosen]:
        inputs = predictor.card.preprocessing.to_tensor([image])
        (prediction,) = predictor.predict([image])
        (explanation,) = explain(
            predictor.network, inputs, method="gradcam", stage=predictor.card.cam_layer, targets=prediction.top
        )
        if explanation.has_evidence:
            probability, column = explained_probability(predictor, explanation)
            heatmap = explanation.heatmap
            if maps == "smooth":
                heatmap = np.float32(gaussian_filter(random.normal(size=inputs.shape[2:]), SMOOTH_SIGMA_PX))
            found += chance_test(probability, inputs[0], heatmap, column).better_than_chance
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the data set, as python -m core evaluate takes it")
    parser.add_argument("--images", type=int, default=40, help="random test images per network")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--maps", choices=("gradcam", "smooth"), default="gradcam")
    parser.add_argument("--network", help="the run id of the only network to test")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    samples = read(arguments.data)
    results = {}
    for checkpoint in list_checkpoints().with_weights:
        if arguments.network not in (None, checkpoint.card.run_id):
            continue
        found = passed(Predictor.load(checkpoint), samples, arguments.images, arguments.seed, arguments.maps)
        results[checkpoint.card.run_id] = found / arguments.images
        if not arguments.json:
            print(f"{checkpoint.card.run_id}: {found} of {arguments.images} maps are better than chance", flush=True)
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
