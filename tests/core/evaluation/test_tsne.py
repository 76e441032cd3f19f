from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.errors import EvaluationError
from core.evaluation.embedding import Embedding, principal_components
from core.evaluation.tsne import STAGES, TsneMap, tsne_map, tsne_plane

WEIGHTS = "ab" * 32


def of_components(components: np.ndarray) -> Embedding:
    n, d = components.shape
    return Embedding("net", "test", np.arange(n) + 100, components, np.full(d, 1 / d), d, WEIGHTS)


@pytest.fixture(scope="module")
def two_clusters() -> Embedding:
    """Twenty images far from twenty others."""
    random = np.random.default_rng(3)
    features = random.normal(size=(40, 5)) + np.repeat([[0.0], [30.0]], 20, axis=0)
    return principal_components(features, np.arange(40), model_id="net", split="test", weights_sha256=WEIGHTS)


def test_tsne_keeps_neighbors_together_and_reports_its_stages(two_clusters):
    stages: list[tuple[int, int]] = []
    plane = tsne_plane(two_clusters, lambda done, total: stages.append((done, total)))
    assert stages == [(i + 1, STAGES) for i in range(STAGES)]
    assert plane.shape == (40, 2)
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2) + np.diag(np.full(40, np.inf))
    assert ((distances.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()
    assert np.array_equal(plane, tsne_plane(two_clusters))


def test_tsne_can_be_stopped_between_stages(two_clusters):
    class StopError(Exception):
        pass

    def stop(_done: int, _total: int) -> None:
        raise StopError

    with pytest.raises(StopError):
        tsne_plane(two_clusters, stop)


def test_tsne_needs_four_images_and_accepts_identical_ones():
    with pytest.raises(EvaluationError, match="at least 4 images, got 3"):
        tsne_plane(of_components(np.eye(3)))
    assert np.isfinite(tsne_plane(of_components(np.eye(4)))).all()
    identical = of_components(np.zeros((5, 3)))
    assert np.isfinite(tsne_plane(identical)).all()


def test_a_saved_map_is_loaded_unchanged_and_fits_its_embedding_only(two_clusters, tmp_path):
    path = tmp_path / "tsne-test.parquet"
    tsne_map(two_clusters).save(path)
    found = TsneMap.load(path)
    assert np.array_equal(found.plane, tsne_plane(two_clusters))
    assert found.fits(two_clusters)
    assert not found.fits(dataclasses.replace(two_clusters, weights_sha256="0" * 64))
    assert not found.fits(dataclasses.replace(two_clusters, image_ids=np.arange(40) + 1))


def test_a_map_of_other_settings_or_a_damaged_one_is_refused_by_name(two_clusters, tmp_path, monkeypatch):
    path = tmp_path / "tsne-test.parquet"
    tsne_map(two_clusters).save(path)
    monkeypatch.setattr("core.evaluation.tsne.PERPLEXITY", 5.0)
    with pytest.raises(EvaluationError, match=r"tsne-test.parquet was computed with .*'perplexity': 30.0"):
        TsneMap.load(path)
    pq.write_table(pq.read_table(path).replace_schema_metadata({}), path)
    with pytest.raises(EvaluationError, match="lacks the settings of its map"):
        TsneMap.load(path)
    with pytest.raises(EvaluationError, match="two finite numbers for each"):
        TsneMap(np.arange(2), np.array([[0, 1], [np.nan, 0]], np.float32), WEIGHTS)
