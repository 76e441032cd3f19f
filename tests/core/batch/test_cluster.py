"""The Ray engine on a local cluster of two nodes; skipped where Ray is not installed, because it is an extra."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from core.batch.job import run_batch

ray = pytest.importorskip("ray", reason="requirements-ray.txt is not installed")


class DeadlyOnceSource:
    """A source that ends the process that reads one of its files, the first time."""

    columns = ()

    def __init__(self, source, marker: Path):
        self.source, self.marker = source, marker

    def entries(self):
        return self.source.entries()

    def read(self, entry):
        if entry.path == "dark/004.png" and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.source.read(entry)


def test_a_cluster_gives_the_same_rows_although_a_worker_is_killed(batch, many_photos, tmp_path, here, rows):
    from ray.cluster_utils import Cluster

    from core.batch.cluster import ray_engine

    chosen = batch(many_photos)
    run_batch(chosen, tmp_path / "local.parquet", here)
    chosen.source = DeadlyOnceSource(chosen.source, tmp_path / "killed")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        run_batch(chosen, tmp_path / "cluster.parquet", ray_engine(cluster.address, 1))
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (tmp_path / "killed").exists()
    stored = [pd.DataFrame(rows(tmp_path / name)) for name in ("local.parquet", "cluster.parquet")]
    pd.testing.assert_frame_equal(*stored, rtol=0, atol=2e-6)
