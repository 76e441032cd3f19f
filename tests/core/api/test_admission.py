"""Places: how many requests there are at a time, and what becomes of the others."""

import asyncio
import gc
import http.client
import json
import socket
import threading
import time

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request

from core.api.admission import Admission
from core.api.application import application
from core.api.limits import Limits
from core.api.problems import Problem
from core.explain import Stopped
from tests.core.api.conftest import connected


class Client:
    """A request whose client leaves when it is told to."""

    def __init__(self):
        self.gone = asyncio.Event()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


def test_a_computation_that_waits_is_canceled_when_its_client_leaves():
    async def check():
        admission, begun, go_on = Admission(Limits(queue=2, workers=1)), threading.Event(), threading.Event()

        async def computed(client, work):
            place = admission.enter()
            try:
                return await place.compute(client.request, work)
            finally:
                place.leave()

        def first(_):
            begun.set()
            go_on.wait(30)
            return "first"

        running = asyncio.create_task(computed(Client(), first))
        await asyncio.to_thread(begun.wait, 30)
        leaving, ran = Client(), []
        waiting = asyncio.create_task(computed(leaving, ran.append))
        await asyncio.sleep(0)
        assert admission.taken == 2
        with pytest.raises(Problem, match="busy with 2 requests"):
            admission.enter()
        leaving.gone.set()
        with pytest.raises(ClientDisconnect):
            await waiting
        assert admission.taken == 1  # free at once, while the first is still computed
        admission.enter().leave()
        go_on.set()
        assert await running == "first"
        assert (admission.taken, ran) == (0, [])

    asyncio.run(check())


def test_a_computation_that_runs_ends_at_its_next_step_when_its_client_leaves(caplog):
    async def check():
        admission, client = Admission(Limits(queue=1, workers=1)), Client()
        begun, ended = threading.Event(), threading.Event()

        def endless(check_client):
            begun.set()
            try:
                while True:
                    check_client()
            except Stopped:
                ended.set()
                raise

        place = admission.enter()
        task = asyncio.create_task(place.compute(client.request, endless))
        await asyncio.to_thread(begun.wait, 30)
        client.gone.set()
        with pytest.raises(ClientDisconnect):
            await task
        place.leave()
        assert await asyncio.to_thread(ended.wait, 30)
        while admission.taken:
            await asyncio.sleep(0.001)

    asyncio.run(check())
    gc.collect()
    assert not caplog.records  # asyncio reports an error that nobody has received


def half_sent(client, portrait):
    """A connection that has sent the first half of a request."""
    connection = socket.create_connection((client.base_url.host, client.base_url.port))
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(portrait)}\r\n\r\n"
    connection.sendall(head.encode() + portrait[: len(portrait) // 2])
    return connection


def places_taken(client):
    line = next(x for x in client.get("/metrics").text.splitlines() if x.startswith("ferscope_places_taken"))
    return float(line.split()[1])


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_full_queue_is_busy_until_a_client_leaves(runtime, portrait):
    with connected(application(runtime, Limits(queue=1))) as client:
        with half_sent(client, portrait):
            wait_for(lambda: places_taken(client) == 1)
            answer = client.post("/predict", files={"files": portrait})
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert "busy" in answer.json()["detail"]
            assert client.get("/health").status_code == 200
        wait_for(lambda: places_taken(client) == 0)
        assert client.post("/predict", files={"files": portrait}).status_code == 200


def test_a_request_that_takes_too_long_is_answered_and_frees_its_place(runtime, portrait):
    limits = Limits(seconds=0.2)
    with connected(application(runtime, limits)) as client:
        with half_sent(client, portrait) as connection:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 503
            assert "within 0.2 s" in json.loads(answer.read())["detail"]
        wait_for(lambda: places_taken(client) == 0)


def test_many_clients_receive_the_answers_of_a_single_one(address, portrait):
    alone = httpx.post(f"{address}/predict", files={"files": portrait}, timeout=60).json()

    async def together():
        async with httpx.AsyncClient(timeout=60) as client:
            return await asyncio.gather(
                *(client.post(f"{address}/predict", files={"files": portrait}) for _ in range(24))
            )

    for answer in asyncio.run(together()):
        assert answer.status_code == 200
        assert probabilities(answer.json()) == pytest.approx(probabilities(alone), abs=1e-5)


def probabilities(document):
    return [
        value
        for photo in document["photos"]
        for face in photo["faces"]
        for group in face["groups"]
        for prediction in group["predictions"].values()
        for value in prediction["probabilities"].values()
    ]
