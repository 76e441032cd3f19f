"""Prometheus metrics of the API. They count requests and passes and hold nothing of a photo."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.admission import Admission
from core.runtime import Runtime

disable_created_metrics()  # type: ignore[no-untyped-call]  # a number more per metric: when it was first used

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Instruments:
    """The metrics of one API."""

    def __init__(self, admission: Admission, runtime: Runtime) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("ferscope_requests", "Answered requests.", ("path", "status"), registry=self.registry)
        self.seconds = Histogram(
            "ferscope_request_seconds", "Seconds per request.", ("path",), buckets=SECONDS, registry=self.registry
        )
        self.faces = Counter("ferscope_faces", "Faces that were analyzed.", registry=self.registry)
        taken = Gauge("ferscope_places_taken", "Requests that are received or computed now.", registry=self.registry)
        taken.set_function(lambda: admission.taken)
        self.registry.register(_Passes(runtime))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class _Passes(Collector):
    """How many calls were computed in how many passes, by network."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Both counters of every network that is loaded."""
        calls = CounterMetricFamily("ferscope_network_calls", "Calls that a network answered.", labels=["network"])
        passes = CounterMetricFamily("ferscope_network_passes", "Passes that answered them.", labels=["network"])
        totals: dict[str, list[int]] = {}
        for predictor in self._runtime.loaded_predictors():  # twice for a network whose files changed meanwhile
            of_network = totals.setdefault(predictor.model_id, [0, 0])
            of_network[0] += predictor.queue.calls
            of_network[1] += predictor.queue.passes
        for model_id, (of_calls, of_passes) in totals.items():
            calls.add_metric([model_id], of_calls)
            passes.add_metric([model_id], of_passes)
        yield calls
        yield passes


class Measured:
    """Counts and times the requests that pass through to ``app``."""

    def __init__(self, app: ASGIApp, instruments: Instruments) -> None:
        self._app, self._instruments = app, instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            # The route's pattern: addresses that do not exist must not become labels.
            path = getattr(scope.get("route"), "path", "other")
            self._instruments.requests.labels(path, status).inc()
            self._instruments.seconds.labels(path).observe(time.perf_counter() - started)
