"""The response to a request with photos, computed in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import images
from core.api.admission import Check
from core.api.limits import Limits
from core.api.options import ExplainOptions, PredictOptions
from core.api.problems import Problem, problem_of
from core.api.uploads import Upload
from core.checkpoints import Checkpoint
from core.ensembles import with_members
from core.errors import ExplainError, ImageError, LabelError, NotFiniteError, TooManyFacesError, UnknownNetworkError
from core.explain import Contrast, Target, distinct_methods
from core.inference import FaceAnalysis, PhotoAnalysis, Predictor, explain_face, margin_for, overlay_on_photo
from core.records import AnalysisRecord, FaceDetails, PhotoRecord
from core.runtime import Runtime


def analyze_photos(
    photos: Sequence[Upload], options: PredictOptions, runtime: Runtime, limits: Limits, check: Check
) -> AnalysisRecord:
    """Every photo as the command line describes it; ``check`` is called between the steps.

    A photo that cannot be analyzed has the reason in its record. Raises Problem where that is so for every photo, and
    FerscopeError for options that cannot be used.
    """
    predictors = _predictors(options, runtime)
    detector = runtime.detector(options.detector).name
    wanted = options if isinstance(options, ExplainOptions) else ExplainOptions()  # which maps, if any
    targets = {predictor.model_id: _target(wanted, predictor) for predictor in predictors}
    records, problems = [], []
    for photo in photos:
        check()
        try:
            image = images.decode(photo.data, max_pixels=round(limits.megapixels * 1e6))
            check()
            analysis = runtime.analyze(
                image, predictors, detector, whole_image=options.whole_image, max_faces=limits.faces
            )
        except (ImageError, NotFiniteError, TooManyFacesError) as error:
            records.append(PhotoRecord(path=photo.name, error=error.sentence))
            problems.append(problem_of(error))
            continue
        details = None
        if options.maps is not None:
            details = [
                _maps(face, analysis, predictors, wanted, targets, options.maps == "png", check)
                for face in analysis.faces
            ]
        records.append(PhotoRecord.of(photo.name, analysis, details))
    if len(problems) == len(photos):
        sentences = " ".join(f"{photo.name}: {p.detail}" for photo, p in zip(photos, problems, strict=True))
        raise Problem(
            problems[0].status, problems[0].detail if len(photos) == 1 else f"No photo can be analyzed. {sentences}"
        )
    return AnalysisRecord.of(records, (p.card for p in predictors))


def installed_checkpoint(runtime: Runtime, model_id: str, *, status: int) -> Checkpoint:
    """The checkpoint of a network. Raises Problem with the status ``status`` if it is not installed, and
    CheckpointError if it is damaged."""
    try:
        return runtime.listing().get(model_id)
    except UnknownNetworkError as error:
        raise Problem(status, error.sentence) from None


def _predictors(options: PredictOptions, runtime: Runtime) -> list[Predictor]:
    """The networks of a request. Raises Problem for one that is not installed, CheckpointError for a damaged one."""
    names = with_members(options.networks)
    for name in names:
        installed_checkpoint(runtime, name, status=422)
    predictors = runtime.predictors(names)
    if options.temperature is None:
        return predictors
    return [predictor.at_temperature(options.temperature) for predictor in predictors]


def _target(options: ExplainOptions, predictor: Predictor) -> Target | None:
    """What the maps of a network explain, None for its predicted class.

    Raises Problem naming the network for an unknown method, and for a stage or class that the network lacks.
    """
    if options.expression is None and options.against is not None:
        raise Problem(422, "The option against needs the option expression, which names the class to explain.")
    labels = predictor.card.labels
    try:
        distinct_methods([options.method], predictor.network, options.stage)  # checks both, also where no face is found
        chosen, other = (None if name is None else labels.index(name) for name in (options.expression, options.against))
    except (ExplainError, LabelError) as error:
        raise Problem(422, f"The network {predictor.model_id} cannot be explained: {error}.") from None
    if chosen is None or other is None:
        return chosen
    if chosen == other:
        raise Problem(
            422,
            "The options expression and against need two different classes, but "
            f"{options.expression!r} and {options.against!r} both name the class {labels.classes[chosen]!r}.",
        )
    return Contrast(chosen, other)


def _maps(
    face: FaceAnalysis,
    analysis: PhotoAnalysis,
    predictors: Sequence[Predictor],
    options: ExplainOptions,
    targets: Mapping[str, Target | None],
    with_pictures: bool,
    check: Check,
) -> FaceDetails:
    """One map per network, of its predicted class where it has no target. Raises ExplainError and Stopped."""
    maps, pictures = {}, {}
    for predictor in analysis.predicting(predictors):
        check()
        model_id = predictor.model_id
        target = targets[model_id]
        (found,) = explain_face(
            predictor,
            face,
            method=options.method,
            stage=options.stage,
            targets=face.predictions[model_id].top if target is None else target,
            progress=lambda *_: check(),
        )
        maps[model_id] = found
        if with_pictures:
            margin = margin_for(predictor.card, analysis.detector)
            pictures[model_id] = images.encode_png(overlay_on_photo(analysis.image, face.face, margin, found.heatmap))
    return FaceDetails(maps=maps, map_pictures=pictures)
