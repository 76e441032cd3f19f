"""The options of requests. They are query parameters, because the body is the photo; an unknown one is an error."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams

from core.api.problems import Problem
from core.explain import saliency_methods
from core.faces import AUTO, detectors
from core.inference import TEMPERATURES

Maps = Literal["array", "png"]


class PredictOptions(BaseModel):
    """What is predicted, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    networks: list[str] = Field(
        default=[], description="names of networks or ensembles; none: the default networks", max_length=64
    )
    detector: str = Field(
        default=AUTO,
        description="the face detector; auto takes YuNet if it is available, otherwise MTCNN",
        json_schema_extra={"enum": [AUTO, *detectors()]},
    )
    whole_image: bool = Field(default=False, description="use the central square of the photo as the face")
    temperature: float | None = Field(
        default=None,
        ge=TEMPERATURES[0],
        le=TEMPERATURES[1],
        allow_inf_nan=False,
        description="divides the logits; by default, the temperature of each network's card",
    )
    maps: Maps | None = Field(
        default=None,
        description="saliency maps of the predicted class: array returns the cells, png also a picture of the map "
        "over the face",
    )


def require_once(query: QueryParams) -> None:
    """Raises Problem for an option that is given more than once, of which only the last value would be used."""
    for name in query:
        if name != "networks" and len(query.getlist(name)) > 1:
            raise Problem(422, f"The option {name} is given more than once; expected one value.")


class ExplainOptions(PredictOptions):
    """Which saliency map is computed."""

    maps: Maps = Field(
        default="array", description="array returns the cells, png also a picture of the map over the face"
    )
    method: str = Field(
        default="gradcam", description="the saliency method", json_schema_extra={"enum": list(saliency_methods())}
    )
    stage: str | None = Field(default=None, description="stage of the network; by default, the one that its card names")
    expression: str | None = Field(
        default=None, description="the class that the map explains; by default, the predicted one of each network"
    )
    against: str | None = Field(
        default=None, description="explain evidence for `expression` rather than for this class"
    )
