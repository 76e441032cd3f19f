"""The time that Compare needs to draw a view: ``python benchmarks/compare.py [--json]``.

``slowest_view_ms``: the slowest view of the shipped networks. A whole rerun of the page on the server is timed, with
the stored predictions loaded and every result computed again. Views with several states are timed in each of them.
``million_rows_view_ms``: the same for three networks with 1,000,000 generated rows each: predictions, embeddings,
robustness, and a table of image facts with votes.
``million_rows_next_view_ms``: changing from one view to another with those networks. What is shown above every view is
cached then: the ensemble, the table of scores and the probabilities that they are computed from.
All numbers are medians of reruns of the app after a first run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.testing.v1 import AppTest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import checkpoints
from core.caching import Cache
from core.checkpoints import Checkpoint
from core.data import ImageFacts, image_facts
from core.evaluation import EvaluationRun
from core.evaluation.embedding import COMPONENTS, Embedding
from core.labels import LabelSet
from core.robustness import CONDITIONS, Robustness, save_robustness
from dashboard import services
from dashboard.compare.panels import GROUPS

ENTRY = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
REPEATS = 5
ROWS = 1_000_000
GENERATED = "generated"  # the fingerprint of images that do not exist
# Each panel as it opens, and further states by their URL parameters.
STATES: dict[str, dict[str, str]] = {
    panel: {"group": group, "view": panel} for group, panels in GROUPS.items() for panel in panels
} | {
    "Confusion, difference": {"group": "Errors", "view": "Confusion", "cells": "difference"},
    "Confusion, a cell": {"group": "Errors", "view": "Confusion", "cell_true": "sad", "cell_predicted": "neutral"},
    "Ranking, precision-recall": {"view": "Ranking", "ranking": "precision-recall"},
    "Ranking, top-k": {"view": "Ranking", "ranking": "top-k"},
    "Gallery, all images": {"group": "Errors", "view": "Gallery", "list": "all images"},
}
# Cached data that are not results: networks, their stored predictions, and the tables of FERscope.
DATA_CACHES = ("_listings", "_predictors", "_evaluations", "_facts", "_robustness")
TABLE_CACHES = ("_ensembles", "_summaries")


def view_ms(root: Path, repeats: int, cached: Collection[str]) -> dict[str, float]:
    """Median milliseconds of a rerun of Compare for each view of the networks in ``root``; ``cached`` names caches that
    are not cleared before a rerun."""
    checkpoints.ROOT = root
    st.cache_resource.clear()
    measured = {}
    for state, link in STATES.items():
        app = AppTest.from_file(ENTRY, default_timeout=600)
        for key, value in link.items():
            app.query_params[key] = value
        app.run()
        app.switch_page("../pages/compare.py").run()
        if app.exception:
            raise SystemExit(f"the view {state} failed: {app.exception[0].value}")
        times = []
        for _ in range(repeats):
            clear_results(cached)
            started = time.perf_counter()
            app.run()
            times.append((time.perf_counter() - started) * 1e3)
        measured[state] = statistics.median(times)
    return measured


def clear_results(cached: Collection[str]) -> None:
    """Clear every cache except those named. Unless the table of scores stays cached, stored predictions are loaded
    again, because a run caches its probabilities."""
    caches = {name: cache for name, cache in vars(services.runtime()).items() if isinstance(cache, Cache)}
    for name, cache in caches.items():
        if name not in cached:
            cache.clear()
    if set(TABLE_CACHES) <= set(cached):
        return
    caches["_evaluations"].clear()
    for checkpoint in services.listing().checkpoints:
        services.evaluation(checkpoint, "test")


def million_rows(folder: Path, source: Checkpoint, seed: int) -> None:
    """A copy of a shipped network with 1,000,000 random predictions, of which about seven in ten are correct."""
    random = np.random.default_rng(seed)
    k = len(source.card.labels)
    truth = np.random.default_rng(0).integers(0, k, ROWS)
    logits = random.normal(size=(ROWS, k)).astype(np.float32)
    logits[np.arange(ROWS), truth] += 2.2
    shutil.copytree(source.path, folder, ignore=shutil.ignore_patterns("predictions-*", "embeddings-*"))
    copies = np.zeros(ROWS, bool)
    run = EvaluationRun(source.card.run_id, "test", source.card.labels, np.arange(ROWS), truth, logits, copies)
    run.save(folder / "predictions-test.parquet")
    name, weights = folder.name, source.card.weights_sha256
    components = random.standard_normal((ROWS, COMPONENTS), np.float32).astype(np.float16)
    shares = np.full(COMPONENTS, 1 / COMPONENTS)
    embedding = Embedding(name, "test", run.image_ids, components, shares, COMPONENTS, weights)
    embedding.save(checkpoints.CheckpointFolder(folder).embeddings_path("test"))
    correct = {condition: random.random(ROWS, np.float32) < 0.6 for condition in CONDITIONS}
    data = dataclasses.replace(source.card.data, fingerprint=GENERATED)
    card = dataclasses.replace(source.card, run_id=name, data=data, metrics={})
    checkpoints.save_card(card, folder)
    save_robustness(Robustness(name, "test", weights, correct), Checkpoint(folder, card).robustness_path("test"))


def million_facts(labels: LabelSet) -> ImageFacts:
    """Image facts and votes for the images of :func:`million_rows`."""
    random = np.random.default_rng(0)
    truth = np.random.default_rng(0).integers(0, len(labels), ROWS)
    brightness, contrast, sharpness = random.random((3, ROWS), np.float32).round(3)
    votes = random.multinomial(10, np.full(10, 0.1), ROWS).astype(np.uint8)
    return ImageFacts(
        name="generated",
        fingerprints=(GENERATED,),
        labels=labels,
        ids=np.arange(ROWS),
        split=np.full(ROWS, "test"),
        truth=truth,
        brightness=brightness,
        contrast=contrast,
        sharpness=sharpness,
        blank=np.zeros(ROWS, bool),
        copy_in_train=random.random(ROWS) < 0.1,
        copy_group=np.full(ROWS, -1, np.int32),
        votes=votes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    shipped = checkpoints.list_checkpoints(checkpoints.ROOT).checkpoints
    if not shipped:
        raise SystemExit("no network is installed; train one with: python -m core train cnn --data fer2013.csv")
    of_shipped = view_ms(checkpoints.ROOT, REPEATS, DATA_CACHES)
    with tempfile.TemporaryDirectory() as name:
        for number in range(3):
            source = shipped[number % len(shipped)]
            million_rows(Path(name) / f"million_{number}", source, seed=number + 1)
        million_facts(shipped[0].card.labels).save(Path(name) / f"generated{image_facts.SUFFIX}")
        image_facts.FOLDER = Path(name)
        of_million = view_ms(Path(name), 1, (*DATA_CACHES, "_embeddings"))
        next_of_million = view_ms(Path(name), 1, (*DATA_CACHES, "_embeddings", *TABLE_CACHES))
    worst = {
        "slowest_view_ms": max(of_shipped.values()),
        "million_rows_view_ms": max(of_million.values()),
        "million_rows_next_view_ms": max(next_of_million.values()),
    }
    if arguments.json:
        print(json.dumps(worst))
        return
    for state in STATES:
        million = f"{of_million[state]:.0f} ms, changing to it {next_of_million[state]:.0f} ms"
        print(f"{state}: {of_shipped[state]:.0f} ms, with a million rows {million}")
    print("worst:", ", ".join(f"{key} {value:.0f}" for key, value in worst.items()))


if __name__ == "__main__":
    main()
