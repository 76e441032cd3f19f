"""Analyses as plain values, for files and pipes."""

from __future__ import annotations

from typing import Any

from core.inference.analysis import PhotoAnalysis


def photo_values(path: str, analysis: PhotoAnalysis) -> dict[str, Any]:
    """``{"path", "faces": [{"box", "score", "predictions": {network: {class: probability}}}]}``; boxes are
    [left, top, width, height] in pixels of the upright photo."""
    faces = []
    for found in analysis.faces:
        box = found.face.box
        faces.append(
            {
                "box": [round(float(v), 1) for v in (box.left, box.top, box.width, box.height)],
                "score": round(float(found.face.score), 4),
                "predictions": {
                    model_id: dict(zip(p.labels.classes, (round(float(v), 6) for v in p.probabilities), strict=True))
                    for model_id, p in found.predictions.items()
                },
            }
        )
    return {"path": path, "faces": faces}
