"""The HTTP API under load: ``python benchmarks/serve.py [--json] [--requests 5000]``.

A server is started as ``python -m core serve``. Clients send portraits one after another, and every answer is compared
with the one that the photo received while no other client was connected.

``two_over_one_throughput``: answers per second with two clients ÷ with one; medians of rounds that take turns.
``p99_over_p50``: with eight clients, the time that 99 % of the answers need at most ÷ the median.
``wrong``: answers with another expression, or with a probability that differs by more than 1e-5.
``lost``: requests without an answer of status 200.
``rss_growth``: resident memory of the server after all requests ÷ after the first tenth, minus 1.
``calls_per_pass``: with 32 clients and whole images as faces, how many calls of a network a pass answered on average.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.sample_photos import sample_photos

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = 12
TOLERANCE = 1e-5
ROUNDS = 5  # of one and of two clients
HEADERS = {"Content-Type": "image/jpeg"}
DETECTED, WHOLE = "/predict", "/predict?whole_image=true"


@dataclass
class Load:
    """What a number of clients received."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)  # per request
    wrong: int = 0
    lost: int = 0

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.milliseconds) / self.seconds


def photos() -> list[bytes]:
    """Portraits of several sizes."""
    made = []
    for number in range(PHOTOS):
        portrait = list(sample_photos().values())[number % 2].data
        picture = Image.open(io.BytesIO(portrait)).convert("RGB")
        picture.thumbnail((400 + 30 * number,) * 2)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=90)
        made.append(file.getvalue())
    return made


@contextlib.contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Port and process id of a server that is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FERSCOPE_API_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                if get(port, "/ready").status == 200:
                    yield port, process.pid
                    return
            time.sleep(0.1)
        raise SystemExit("the server did not become ready; start it with: python -m core serve")
    finally:
        process.terminate()
        process.wait()


def get(port: int, path: str) -> http.client.HTTPResponse:
    """The answer to a GET request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    return connection.getresponse()


def probabilities(document: dict[str, Any]) -> dict[str, float]:
    """Every probability of an answer under a name."""
    return {
        f"{face['number']} {network} {expression}": value
        for face in document["photos"][0]["faces"]
        for group in face["groups"]
        for network, prediction in group["predictions"].items()
        for expression, value in prediction["probabilities"].items()
    }


def is_right(answer: bytes, expected: dict[str, float]) -> bool:
    """Whether an answer has the expected faces, networks and probabilities."""
    found = probabilities(json.loads(answer))
    return set(found) == set(expected) and all(abs(found[name] - expected[name]) <= TOLERANCE for name in expected)


def post(connection: http.client.HTTPConnection, address: str, photo: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to a photo."""
    connection.request("POST", address, photo, HEADERS)
    response = connection.getresponse()
    return response.status, response.read()


def load(
    port: int, clients: int, requests: int, address: str, sent: list[bytes], expected: list[dict[str, float]]
) -> Load:
    """Clients that send ``requests`` photos together, each the next one as soon as it has its answer."""
    result, lock, numbers = Load(), threading.Lock(), iter(range(requests))
    answers: list[tuple[int, bytes]] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            begun = time.perf_counter()
            try:
                status, answer = post(connection, address, sent[number % PHOTOS])
            except (OSError, http.client.HTTPException):
                connection.close()
                with lock:
                    result.lost += 1
                continue
            elapsed_ms = (time.perf_counter() - begun) * 1e3
            with lock:
                result.milliseconds.append(elapsed_ms)
                if status == 200:
                    answers.append((number % PHOTOS, answer))
                else:
                    result.lost += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - begun
    # Compared afterwards, so that the clients do not compete with the server.
    result.wrong = sum(not is_right(answer, expected[number]) for number, answer in answers)
    return result


def resident_mb(process_id: int) -> float:
    """Resident memory of a process in megabytes."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def network_counts(port: int) -> tuple[float, float]:
    """Calls and passes of all networks so far."""
    counts = {"calls": 0.0, "passes": 0.0}
    for line in get(port, "/metrics").read().decode().splitlines():
        for name in counts:
            if line.startswith(f"ferscope_network_{name}_total"):
                counts[name] += float(line.split()[-1])
    return counts["calls"], counts["passes"]


def measured(requests: int, *, verbose: bool) -> dict[str, float]:
    """All numbers of this benchmark."""
    sent = photos()
    with server() as (port, process_id):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        expected = {
            address: [probabilities(json.loads(post(connection, address, photo)[1])) for photo in sent]
            for address in (DETECTED, WHOLE)
        }
        if not all(expected[DETECTED]):
            raise SystemExit("a portrait has no face; the answers could not be compared")
        loads: list[Load] = []

        def run(clients: int, count: int, address: str = DETECTED) -> Load:
            loads.append(load(port, clients, count, address, sent, expected[address]))
            if verbose:
                of = loads[-1]
                print(
                    f"{clients:2} clients, {count} requests: {of.per_second:.1f} per second, median "
                    f"{statistics.median(of.milliseconds):.0f} ms, {resident_mb(process_id):.0f} MB",
                    flush=True,
                )
            return loads[-1]

        part = max(requests // 10, 2 * PHOTOS)
        run(8, part)  # warms up every batch size
        begun_mb = resident_mb(process_id)
        rounds = [(run(1, part // ROUNDS).per_second, run(2, part // ROUNDS).per_second) for _ in range(ROUNDS)]
        eight = run(8, 2 * part)
        run(32, 2 * part)
        before = network_counts(port)
        run(32, part, WHOLE)
        calls, passes = (after - b for after, b in zip(network_counts(port), before, strict=True))
        run(8, max(requests - sum(len(of.milliseconds) for of in loads), part))
        percentiles = statistics.quantiles(eight.milliseconds, n=100)
        return {
            "two_over_one_throughput": statistics.median(r[1] for r in rounds)
            / statistics.median(r[0] for r in rounds),
            "p99_over_p50": percentiles[98] / percentiles[49],
            "wrong": sum(of.wrong for of in loads),
            "lost": sum(of.lost for of in loads),
            "rss_growth": resident_mb(process_id) / begun_mb - 1,
            "calls_per_pass": calls / passes,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    parser.add_argument("--requests", type=int, default=5000, help="number of requests in all")
    arguments = parser.parse_args()
    if not Path("/proc/self/status").is_file():
        raise SystemExit("resident memory is read from /proc, which this system does not have")
    result = measured(arguments.requests, verbose=not arguments.json)
    print(json.dumps(result) if arguments.json else ", ".join(f"{k} {v:.3f}" for k, v in result.items()))


if __name__ == "__main__":
    main()
