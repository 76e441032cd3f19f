"""Calls of several threads for one network share a pass and receive the answers that they would receive alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from core.errors import BusyError
from core.inference import Predictor
from core.inference.batching import BatchQueue
from core.models import NetworkOutput


class Network:
    """Doubles its inputs, and waits in each pass until it may go on."""

    def __init__(self, *, fails_on=()):
        self.sizes, self.fails_on = [], fails_on
        self.begun, self.may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, images):
        self.sizes.append(len(images))
        self.begun.release()
        assert self.may_go_on.acquire(timeout=30)
        if set(self.fails_on) & set(images.ravel().tolist()):
            raise RuntimeError("out of memory")
        numbers = torch.from_numpy(images).float()
        return NetworkOutput(numbers * 2, numbers[..., None, None])


@pytest.fixture
def threads():
    with ThreadPoolExecutor(16) as threads:
        yield threads


def occupied(network, threads, **options):
    """A queue whose network computes a call, and that call."""
    queue = BatchQueue(network, **options)
    first = threads.submit(queue, images(0))
    assert network.begun.acquire(timeout=30)
    return queue, first


def images(*numbers):
    return np.array(numbers, np.uint8)[:, None]


def submitted(queue, threads, calls):
    """The calls, once all of them wait in the queue in this order."""
    futures = []
    for number, call in enumerate(calls, start=1):
        futures.append(threads.submit(queue, call))
        while len(queue._waiting) < number:
            pass
    return futures


def test_calls_that_arrive_during_a_pass_form_the_next_one(threads):
    network = Network()
    queue, first = occupied(network, threads)
    others = submitted(queue, threads, [images(1), images(2, 3), images(4)])
    for _ in range(2):
        network.may_go_on.release()
    assert first.result(30).logits.tolist() == [[0]]
    assert [f.result(30).logits.tolist() for f in others] == [[[2]], [[4], [6]], [[8]]]
    assert network.sizes == [1, 4]
    assert (queue.calls, queue.passes) == (4, 2)
    network.may_go_on.release()
    assert queue(images(5)).logits.tolist() == [[10]]  # the network is idle again


def test_a_batch_is_bounded_and_keeps_the_order(threads):
    network = Network()
    queue, first = occupied(network, threads, max_images=3)
    others = submitted(queue, threads, [images(1, 2), images(3, 4), images(5), images(*range(9))])
    for _ in range(4):
        network.may_go_on.release()
    for future in (first, *others):
        future.result(30)
    assert network.sizes == [1, 2, 3, 9]


def test_a_full_queue_is_busy(threads):
    network = Network()
    queue, first = occupied(network, threads, max_waiting=2)
    others = submitted(queue, threads, [images(1), images(2)])
    with pytest.raises(BusyError, match="2 computations are already waiting"):
        queue(images(3))
    for _ in range(2):
        network.may_go_on.release()
    assert [f.result(30).logits.tolist() for f in (first, *others)] == [[[0]], [[2]], [[4]]]


def test_a_patient_call_waits_in_a_full_queue(threads):
    network = Network()
    queue, first = occupied(network, threads, max_waiting=1)
    (other,) = submitted(queue, threads, [images(1)])
    patient = threads.submit(queue, images(2), patient=True)
    while len(queue._waiting) < 2:
        pass
    for _ in range(2):
        network.may_go_on.release()
    assert [f.result(30).logits.tolist() for f in (first, other, patient)] == [[[0]], [[2]], [[4]]]


def test_an_error_reaches_only_the_call_that_causes_it(threads):
    network = Network(fails_on=[2])
    queue, first = occupied(network, threads)
    good, bad, other = submitted(queue, threads, [images(1), images(2), images(3)])
    for _ in range(5):
        network.may_go_on.release()
    first.result(30)
    with pytest.raises(RuntimeError, match="out of memory"):
        bad.result(30)
    assert good.result(30).logits.tolist() == [[2]]
    assert other.result(30).logits.tolist() == [[6]]
    network.may_go_on.release()
    assert queue(images(7)).logits.tolist() == [[14]]


def test_as_many_passes_run_at_a_time_as_there_are_lanes(threads):
    network = Network()
    queue = BatchQueue(network, lanes=2)
    running = [threads.submit(queue, images(n)) for n in range(2)]
    for _ in range(2):
        assert network.begun.acquire(timeout=30)
    waiting = submitted(queue, threads, [images(2), images(3)])
    network.may_go_on.release()
    assert network.begun.acquire(timeout=30)
    for _ in range(2):
        network.may_go_on.release()
    assert sorted(f.result(30).logits.item() for f in (*running, *waiting)) == [0, 2, 4, 6]
    assert network.sizes == [1, 1, 2]


@pytest.mark.parametrize("architecture", ["tiny_cnn", "tiny_residual"])
def test_the_answers_of_a_batch_equal_those_of_single_calls(checkpoint_root, architecture, threads):
    from core.checkpoints import load_checkpoint

    predictor = Predictor.load(load_checkpoint(checkpoint_root / architecture))
    size = predictor.card.preprocessing.size_px
    shape = (40, size, size) if predictor.card.preprocessing.channels == 1 else (40, size, size, 3)
    faces = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    alone = [predictor.backend.output(face[None]) for face in faces]
    predictor.queue = BatchQueue(predictor.backend.output)  # one lane, so that calls meet
    together = list(threads.map(lambda face: predictor.output(face[None]), faces))
    whole = predictor.output(faces)
    for number, (single, shared) in enumerate(zip(alone, together, strict=True)):
        for expected, *found in zip(single, shared, (part[number : number + 1] for part in whole), strict=True):
            for values in found:
                torch.testing.assert_close(values, expected, rtol=0, atol=1e-5)
    assert all(output.features.untyped_storage().nbytes() == together[0].features.nbytes for output in together)


def test_another_temperature_shares_the_network(checkpoint):
    predictor = Predictor.load(checkpoint)
    warm = predictor.at_temperature(3.0)
    face = np.full((48, 48), 128, np.uint8)
    (one,), (other,) = predictor.predict([face]), warm.predict([face])
    assert np.array_equal(one.logits, other.logits)
    assert (other.temperature, warm.queue, warm.lock) == (3.0, predictor.queue, predictor.lock)
    assert predictor.card.temperature != 3.0
    with pytest.raises(ValueError, match="must lie in"):
        predictor.at_temperature(0)
