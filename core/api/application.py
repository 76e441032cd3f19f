"""The API as an ASGI application.

Responses are ``core.records``: the JSON of the command line for the same photo and options. Errors are problems
(``core.api.problems``). Photos are decoded and networks run in threads, so that the event loop stays free.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from core.api import problems, uploads
from core.api.admission import Admission
from core.api.analysis import analyze_photos, installed_checkpoint
from core.api.instruments import Instruments, Measured
from core.api.limits import Limits, table
from core.api.options import ExplainOptions, PredictOptions, require_once
from core.api.problems import Problem
from core.faces import AUTO
from core.records import AnalysisRecord, EvaluationRecord, to_json
from core.runtime import Runtime

DESCRIPTION = """\
Faces, expressions and saliency maps of photos, from the networks that are installed on this server.

A network predicts which expression a picture would be labeled with, not what a person feels. Photos are held in memory
while they are analyzed; they are neither written nor logged.
"""
BEARER = HTTPBearer(auto_error=False)
PHOTOS = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        uploads.FIELD: {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                        }
                    },
                    "required": [uploads.FIELD],
                    "additionalProperties": False,
                }
            },
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
PHOTO_PROBLEMS = (400, 413, 415, 422, 429, 503)
ON_PHOTOS, ON_NETWORKS, ON_SERVER = "Photos", "Networks", "Server"  # sections of the documentation


def application(runtime: Runtime, limits: Limits) -> FastAPI:
    """The API on ``runtime``."""
    app = FastAPIOffline(
        title="FERscope",
        description=f"{DESCRIPTION}\n{table(limits)}",
        version="1",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},  # which is a page of another host
        separate_input_output_schemas=False,
    )
    problems.install(app)
    admission = Admission(limits)
    instruments = Instruments(admission, runtime)
    app.add_middleware(Measured, instruments=instruments)
    if limits.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=limits.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization"],
        )
    guarded: dict[str, Any] = {"dependencies": [Depends(_token_check(limits.token))]} if limits.token else {}
    refusals = (401,) if limits.token else ()

    def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
        return problems.responses(*refusals, *statuses)

    async def analyzed(request: Request, options: PredictOptions) -> Response:
        require_once(request.query_params)
        place = admission.enter()
        try:
            async with asyncio.timeout(limits.seconds):
                photos = await uploads.read_photos(request, limits)
                record, text = await place.compute(request, lambda check: _answer(photos, options, check))
        except TimeoutError:
            raise Problem(
                503, f"The response was not ready within {limits.seconds:g} s; send fewer or smaller photos."
            ) from None
        finally:
            place.leave()
        instruments.faces.inc(sum(len(photo.faces) for photo in record.photos))
        return _json(text)

    def _answer(
        photos: list[uploads.Upload], options: PredictOptions, check: Callable[[], None]
    ) -> tuple[AnalysisRecord, str]:
        record = analyze_photos(photos, options, runtime, limits, check)
        return record, to_json(record)

    @app.post(
        "/predict",
        tags=[ON_PHOTOS],
        response_model=AnalysisRecord,
        responses=responses(*PHOTO_PROBLEMS),
        openapi_extra=PHOTOS,
        **guarded,
    )
    async def predict(request: Request, options: Annotated[PredictOptions, Query()]) -> Response:
        """What each network predicts for the faces in one or more photos.

        `curl -F files=@photo.jpg -F files=@other.jpg 'http://127.0.0.1:8600/predict?networks=cnn'`

        `curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg 'http://127.0.0.1:8600/predict?maps=png'`
        """
        return await analyzed(request, options)

    @app.post(
        "/explain",
        tags=[ON_PHOTOS],
        response_model=AnalysisRecord,
        responses=responses(*PHOTO_PROBLEMS),
        openapi_extra=PHOTOS,
        **guarded,
    )
    async def explain(request: Request, options: Annotated[ExplainOptions, Query()]) -> Response:
        """Where in each face the evidence for a class lies, or for one class rather than another.

        `curl -F files=@photo.jpg 'http://127.0.0.1:8600/explain?method=layercam&expression=happy&against=sad'`
        """
        return await analyzed(request, options)

    @app.get("/models", tags=[ON_NETWORKS], responses=responses(), **guarded)
    def models() -> list[dict[str, Any]]:
        """The cards of the installed networks."""
        return [checkpoint.card.to_json() for checkpoint in runtime.listing().checkpoints]

    @app.get("/models/{model_id}", tags=[ON_NETWORKS], responses=responses(404, 422), **guarded)
    def model(model_id: str) -> dict[str, Any]:
        """The card of one network."""
        return installed_checkpoint(runtime, model_id, status=404).card.to_json()

    @app.get(
        "/models/{model_id}/metrics",
        tags=[ON_NETWORKS],
        response_model=dict[str, EvaluationRecord],
        responses=responses(404, 422, 503),
        **guarded,
    )
    def scores(model_id: str) -> Response:
        """The scores of one network by split, with their intervals."""
        checkpoint = installed_checkpoint(runtime, model_id, status=404)
        found = {}
        for split in checkpoint.card.metrics:
            run = runtime.evaluation(checkpoint, split)
            record = EvaluationRecord.of(run, runtime.summary(run), checkpoint.card.data, "")
            found[split] = record.model_dump()
        return _json(to_json(found))

    @app.get("/metrics", tags=[ON_SERVER], responses=responses() | {200: {"content": {"text/plain": {}}}}, **guarded)
    def metrics() -> Response:
        """Requests, faces and passes of the networks, for Prometheus."""
        return Response(instruments.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/", include_in_schema=False)
    async def documentation() -> Response:
        return RedirectResponse("docs")

    @app.get("/health", tags=[ON_SERVER])
    async def health() -> dict[Literal["status"], Literal["ok"]]:
        """Whether the server answers."""
        return {"status": "ok"}

    @app.get("/ready", tags=[ON_SERVER], responses=problems.responses(503))
    def ready() -> dict[str, Any]:
        """Whether photos can be analyzed: the networks and the detector, which are loaded if they were not."""
        return {
            "networks": [predictor.model_id for predictor in runtime.predictors()],
            "detector": runtime.detector(AUTO).name,
        }

    return app


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _token_check(expected: str) -> Callable[..., None]:
    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> None:
        # compare_digest takes the same time wherever the tokens differ.
        if given is None or not hmac.compare_digest(given.credentials.encode(), expected.encode()):
            raise Problem(401, "Expected the header Authorization: Bearer TOKEN.", WWW_Authenticate="Bearer")

    return check
