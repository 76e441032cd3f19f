import time

import pytest

from core.checkpoints import list_checkpoints
from core.inference import Predictor
from core.inference.latency import milliseconds_per_face


def test_a_face_takes_some_time(checkpoint_root):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    assert 0 < milliseconds_per_face(predictor, repeats=3) < 10_000


def test_a_busy_start_is_measured_again(checkpoint_root, monkeypatch):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    clock, turns = [0.0], [0]

    def answer(_faces):
        turns[0] += 1
        clock[0] += 0.1 if turns[0] < 8 else 0.01  # two warm-up turns, five of the first round

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(predictor, "predict_inputs", answer)
    assert milliseconds_per_face(predictor, repeats=9) == pytest.approx(10)


def test_a_busy_machine_is_not_waited_for(checkpoint_root, monkeypatch):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    clock, turns = [0.0], [0]

    def answer(_faces):
        turns[0] += 1
        clock[0] += 1 / turns[0]  # faster at every turn

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(predictor, "predict_inputs", answer)
    assert milliseconds_per_face(predictor, repeats=9) == pytest.approx(1000 / 7)  # the median of turns 3 to 11
    assert turns[0] == 11
