from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EvaluationError
from core.evaluation.embedding import COMPONENTS, Embedding, pca_plane, principal_components

WEIGHTS = "ab" * 32


def reduced(features: np.ndarray, ids: np.ndarray | None = None) -> Embedding:
    ids = np.arange(len(features)) if ids is None else ids
    return principal_components(features, ids, model_id="net", split="test", weights_sha256=WEIGHTS)


def embedding(n: int = 6, **fields: object) -> Embedding:
    values: dict[str, object] = {
        "model_id": "net",
        "split": "test",
        "image_ids": np.arange(n) + 100,
        "components": np.random.default_rng(0).normal(size=(n, 3)),
        "explained": np.array([0.5, 0.25, 0.125]),
        "features": 8,
        "weights_sha256": WEIGHTS,
    }
    return Embedding(**(values | fields))  # type: ignore[arg-type]


def test_components_and_shares_match_a_calculation_by_hand():
    # Points at -10, 0 and 10 on the line along (3, 4): one component explains all variance.
    features = np.array([[-6.0, -8.0], [0.0, 0.0], [6.0, 8.0]])
    found = reduced(features)
    assert np.abs(found.components[:, 0]) == pytest.approx([10, 0, 10])
    assert found.components[0, 0] == -found.components[2, 0]
    assert found.explained == pytest.approx([1, 0], abs=1e-9)
    # A cross with arms of length 3 and 1: variances 18/3 and 2/3 of 20/3.
    cross = reduced(np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]]))
    assert cross.explained == pytest.approx([0.9, 0.1])


def test_the_number_of_components_is_limited_by_images_features_and_fifty():
    random = np.random.default_rng(1)
    assert reduced(random.normal(size=(200, 80))).components.shape == (200, COMPONENTS)
    assert reduced(random.normal(size=(10, 80))).components.shape == (10, 9)
    assert reduced(random.normal(size=(10, 4))).components.shape == (10, 4)


def test_identical_features_explain_no_variance():
    found = reduced(np.full((5, 3), 2.5))
    assert found.explained.tolist() == [0, 0, 0]
    assert not found.components.any()


def test_distances_survive_half_precision():
    random = np.random.default_rng(2)
    features = random.normal(size=(60, 20))
    found = reduced(features).components.astype(np.float64)
    distance = np.linalg.norm(features[:1] - features, axis=1)
    assert np.linalg.norm(found[:1] - found, axis=1) == pytest.approx(distance, abs=0.02)


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (np.zeros((1, 4)), "at least 2"),
        (np.zeros((3, 4, 4)), r"got \(3, 4, 4\)"),
        (np.array([[0.0, 1], [np.nan, 0]]), "the features of image 1 are not finite"),
    ],
)
def test_features_that_cannot_be_reduced_are_refused(features, sentence):
    with pytest.raises(EvaluationError, match=sentence):
        reduced(features)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 30), st.integers(1, 12), st.floats(1e-3, 1e3), st.integers(0, 9))
def test_shares_are_descending_and_sum_to_at_most_one(n, c, scale, seed):
    found = reduced(np.random.default_rng(seed).normal(size=(n, c)) * scale)
    assert (np.diff(found.explained) <= 1e-9).all()
    assert found.explained.sum() <= 1 + 1e-6


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"components": np.zeros((5, 3))}, r"components must have shape \(6, D\)"),
        ({"components": np.full((6, 3), 1e6)}, r"row 0 \(image 100\) must hold finite components"),
        ({"explained": np.array([0.5, 0.25])}, "explained must be 3 shares"),
        ({"explained": np.array([0.5, 0.25, np.nan])}, "explained must be 3 shares"),
        ({"features": 2}, "at least as many features"),
        ({"image_ids": np.array([1, 2, 3, 3, 4, 5])}, "image 3 in several rows"),
        ({"image_ids": np.linspace(0, 1, 6)}, "whole numbers"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(fields, sentence):
    with pytest.raises(EvaluationError, match=sentence):
        embedding(**fields)


def test_the_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        embedding().components[0, 0] = 1


def test_a_saved_embedding_is_loaded_unchanged(tmp_path):
    written = embedding()
    path = tmp_path / "embeddings-test.parquet"
    written.save(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    found = Embedding.load(path, model_id="net", split="test")
    assert found.components.dtype == np.float16
    assert np.array_equal(found.components, written.components)
    assert np.array_equal(found.image_ids, written.image_ids)
    assert found.explained == pytest.approx([0.5, 0.25, 0.125])
    assert (found.features, found.weights_sha256) == (8, WEIGHTS)


def without_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["component_2"])


def with_an_empty_cell(table: pa.Table) -> pa.Table:
    values = pa.array([None, *table["component_1"].to_pylist()[1:]], pa.float32())
    return table.set_column(1, "component_1", values)


def without_metadata(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({})


def with_damaged_metadata(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({b"embedding": json.dumps({"explained": "much"}).encode()})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_column, "embeddings-test.parquet lacks the column 'component_2'"),
        (with_an_empty_cell, "row 0 of the column 'component_1' is empty"),
        (without_metadata, "lacks the metadata on its components"),
        (with_damaged_metadata, "lacks the metadata on its components"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, change, sentence):
    path = tmp_path / "embeddings-test.parquet"
    embedding().save(path)
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(EvaluationError, match=sentence):
        Embedding.load(path, model_id="net", split="test")


def test_a_file_that_is_not_parquet_is_refused_by_name(tmp_path):
    path = tmp_path / "embeddings-test.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(EvaluationError, match="cannot be read as a Parquet file"):
        Embedding.load(path, model_id="net", split="test")


def test_a_sample_is_limited_deterministic_and_in_order():
    big = embedding(50, components=np.arange(150).reshape(50, 3))
    sample = big.sample(20)
    assert len(sample) == 20
    assert (np.diff(sample.image_ids) > 0).all()
    assert np.array_equal(sample.components[:, 0], (sample.image_ids - 100) * 3)
    assert np.array_equal(sample.image_ids, big.sample(20).image_ids)
    assert embedding(6).sample(20).image_ids.tolist() == embedding(6).image_ids.tolist()


def test_the_pca_map_is_the_first_two_components():
    assert np.array_equal(pca_plane(embedding()), embedding().components[:, :2].astype(np.float32))
    single = embedding(components=np.arange(6)[:, None], explained=np.array([1.0]))
    assert pca_plane(single)[:, 1].tolist() == [0] * 6
