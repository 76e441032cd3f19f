"""Backends of predictions; ONNX Runtime is tested with the files that it reads, in ``tests/core/exporting``."""

import threading

import numpy as np
import torch

from core.inference import Predictor


def test_networks_can_be_loaded_while_other_threads_predict(checkpoint):
    """torch.fx intercepts every module of the process while it traces one."""
    predictor, images = Predictor.load(checkpoint), np.zeros((1, 48, 48), np.uint8)
    expected, finished, problems = predictor.output(images).logits, threading.Event(), []

    def predict():
        inputs = predictor.card.preprocessing.to_tensor(list(images))
        try:
            while not finished.is_set():
                with torch.inference_mode():
                    torch.testing.assert_close(predictor.output(images).logits, expected)
                    torch.testing.assert_close(predictor.network(inputs).logits, expected)
        except Exception as error:
            problems.append(error)

    def load():
        try:
            for _ in range(15):
                loaded = Predictor.load(checkpoint)
                assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in loaded.backend.trunk.modules())
                torch.testing.assert_close(loaded.output(images).logits, expected)
        except Exception as error:
            problems.append(error)

    predicting, loading = threading.Thread(target=predict), [threading.Thread(target=load) for _ in range(2)]
    for thread in (predicting, *loading):
        thread.start()
    for thread in loading:
        thread.join()
    finished.set()
    predicting.join()
    assert not problems
    assert torch.nn.Module.__call__.__name__ == "_wrapped_call_impl"
