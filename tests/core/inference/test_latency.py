import time

import pytest

from core.checkpoints import list_checkpoints
from core.inference import Predictor
from core.inference.latency import WARM_UPS, milliseconds_per_face


def test_a_prediction_takes_some_time(checkpoint_root):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    assert 0 < milliseconds_per_face(predictor, repeats=3) < 10_000


def test_the_latency_is_the_median_after_the_warm_up(checkpoint_root, monkeypatch):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    durations_s = [9.0] * WARM_UPS + [0.01] * 20 + [0.5] * 10
    clock, remaining = [0.0], iter(durations_s)

    def predict(_faces):
        clock[0] += next(remaining)

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(predictor, "predict_inputs", predict)
    assert milliseconds_per_face(predictor) == pytest.approx(10)
    assert next(remaining, None) is None
