"""The engine on a Ray cluster: read, decode and detect in tasks, score in a pool of actors.

It uses the same two steps as the local engine, and the same parts, so its rows are the same. Ray repeats the work of a
machine or process that ends; a part is stored only when it is complete. Every machine needs FERscope with the same
networks in the same folder, and access to the files: a shared folder, or an address such as s3://bucket/photos.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterable, Iterator
from typing import Any

from core.batch.job import Batch, BatchOptions, Engine, load_scorer
from core.batch.part import Part, ScoredPart
from core.errors import BatchError


class _Scoring:
    """An actor with the networks."""

    def __init__(self, options: BatchOptions) -> None:
        self._scorer = load_scorer(options)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        rows = self._scorer.rows(pickle.loads(row["files"]))
        return {"number": row["number"], "rows": pickle.dumps(rows)}


def ray_engine(address: str | None, actors: int | None = None) -> Engine:
    """An engine on the cluster at ``address``, or on this machine; ``actors`` score, by default one for each two CPUs.

    Raises BatchError where Ray is not installed or does not answer.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BatchError("--engine ray needs the package ray; run: pip install -r requirements-ray.txt") from error

    def engine(batch: Batch, parts: Iterable[Part]) -> Iterator[ScoredPart]:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would send statistics to its authors
        if not ray.is_initialized():
            try:
                ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise BatchError(
                    f"Ray does not answer at {address or 'this machine'} ({error}); check --address"
                ) from error
        logging.getLogger("ray.data").setLevel(logging.WARNING)  # it reports every stage between the lines of progress
        source, preparation = batch.source, batch.preparation

        def prepared(row: dict[str, Any]) -> dict[str, Any]:
            files = [preparation.of_entry(source, entry) for entry in pickle.loads(row["entries"])]
            return {"number": row["number"], "files": pickle.dumps(files)}

        waiting = {part.number: part for part in parts}
        count = actors or max(1, int(ray.cluster_resources().get("CPU", 1)) // 2)
        items = [{"number": part.number, "entries": pickle.dumps(part.entries)} for part in waiting.values()]
        scored = (
            ray.data.from_items(items, override_num_blocks=len(items))
            .map(prepared)
            .map(_Scoring, fn_constructor_args=(batch.options,), compute=ray.data.ActorPoolStrategy(size=count))
        )
        for row in scored.iter_rows():
            yield ScoredPart(waiting.pop(row["number"]), pickle.loads(row["rows"]))

    return engine
