"""The Ray engine on a local cluster of two nodes; skipped where Ray is not installed, because it is an extra."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from core.batch import cluster as cluster_module
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


@pytest.fixture
def cluster():
    """A local cluster of two nodes."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    found.add_node(num_cpus=1)
    yield found
    ray.shutdown()
    found.shutdown()


@pytest.fixture
def engine(cluster):
    """The engine on that cluster, with one scoring actor."""
    from core.batch.cluster import ray_engine

    return ray_engine(cluster.address, 1)


@pytest.fixture
def expected_rows(batch, many_photos, tmp_path, here, rows):
    """The rows without a cluster."""
    run_batch(batch(many_photos), tmp_path / "local.parquet", here)
    return pd.DataFrame(rows(tmp_path / "local.parquet"))


def test_a_cluster_gives_the_same_rows_although_a_reading_worker_is_killed(
    batch, many_photos, tmp_path, engine, expected_rows, rows
):
    chosen = batch(many_photos)
    chosen.source = DeadlyOnceSource(chosen.source, tmp_path / "killed")
    run_batch(chosen, tmp_path / "cluster.parquet", engine)
    assert (tmp_path / "killed").exists()
    pd.testing.assert_frame_equal(expected_rows, pd.DataFrame(rows(tmp_path / "cluster.parquet")), rtol=0, atol=2e-6)


def test_a_cluster_gives_the_same_rows_although_a_scoring_worker_is_killed(
    batch, many_photos, tmp_path, engine, expected_rows, rows, monkeypatch
):
    marker = tmp_path / "killed"

    class DeadlyOnceScoring(cluster_module._Scoring):
        """Scoring that ends its process at the second part, the first time."""

        def __call__(self, row):
            if row["number"] == 1 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__call__(row)

    monkeypatch.setattr(cluster_module, "_Scoring", DeadlyOnceScoring)
    run_batch(batch(many_photos), tmp_path / "cluster.parquet", engine)
    assert marker.exists()
    pd.testing.assert_frame_equal(expected_rows, pd.DataFrame(rows(tmp_path / "cluster.parquet")), rtol=0, atol=2e-6)
