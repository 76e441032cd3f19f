"""Errors that a user can cause. The command line, the pages and the API show each of them as one sentence."""

from __future__ import annotations

import re

# The words with which messages begin. Any other one may be a name, such as photo.jpg or cnn, and stays as it is.
FIRST_WORD = re.compile("(a|all|an|another|at|cannot|every|expected|it|its|no|not|only|the|there|this|unknown) ")


class FerscopeError(Exception):
    """Base of every expected error. The message says what was expected, what was found and what to do.

    ``str()`` of it has no final period, because it also stands inside of sentences.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message.strip().removesuffix("."))  # the messages of other libraries often end with one

    @property
    def sentence(self) -> str:
        """The message with a capital letter and a period, ready to be shown to a reader."""
        text = str(self)
        if not text:
            return ""
        # Not capitalize(), which changes the rest of the text.
        start = text[0].upper() if FIRST_WORD.match(text) else text[0]
        return start + text[1:] + ("" if text[-1] in ".!?…" else ".")


class LabelError(FerscopeError):
    """A label set is invalid, or classes cannot be mapped to another label set."""


class ImageError(FerscopeError):
    """The bytes are not an image that FERscope can read."""


class VideoError(FerscopeError):
    """The file is not a video that FERscope can read, or a video cannot be written."""


class ImageTooLargeError(ImageError):
    """The file has more bytes, or the image more pixels, than the limits allow."""


class TooManyFacesError(FerscopeError):
    """A photo has more faces than the caller allows."""


class BusyError(FerscopeError):
    """More computations are waiting than the queue holds; the same call can succeed a little later."""


class DeviceError(FerscopeError):
    """The device is unknown or not available on this machine."""


class SettingError(FerscopeError):
    """An environment variable or an option has a value that cannot be used."""


class OutputError(FerscopeError):
    """A requested file or folder cannot be written."""


class DataError(FerscopeError):
    """A data set does not follow its format; the message names the file and the row."""


class SplitError(DataError):
    """A data set has no splits and none was chosen, or shares of splits were given for one that has them.

    ``fact`` is the message without the remedy, which is that of the commands that divide a data set.
    """

    def __init__(self, fact: str, remedy: str) -> None:
        self.fact, self.remedy = fact, remedy
        super().__init__(f"{fact}; {remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.fact, self.remedy)


class UnknownModelError(FerscopeError):
    """The architecture is not registered."""


class WeightsUnavailableError(FerscopeError):
    """ImageNet weights were requested and could not be downloaded."""


class UnknownDetectorError(FerscopeError):
    """The face detector is not registered."""


class DetectorUnavailableError(FerscopeError):
    """The model file of a face detector is missing, damaged or cannot be downloaded."""


class EvaluationError(FerscopeError):
    """Stored predictions cannot be used, or cannot be compared; the message names the run and the row."""


class CheckpointError(FerscopeError):
    """A checkpoint is missing, incomplete or does not match its card."""


class UnknownNetworkError(CheckpointError):
    """There is no network of that name; the message lists the installed ones."""


class ExportError(FerscopeError):
    """A network cannot be exported, or an exported file cannot be used."""


class RobustnessError(CheckpointError):
    """A robustness file is missing, damaged or belongs to other weights."""


class ExplainError(FerscopeError):
    """The requested saliency map cannot be computed; the message names the alternatives."""


class NotFiniteError(FerscopeError):
    """One or more networks returned NaN or infinity, so they have no prediction."""

    def __init__(self, *model_ids: str) -> None:
        self.model_ids = model_ids
        super().__init__(f"{', '.join(model_ids)} returned NaN or infinity; the weights may be damaged")


class PerturbationError(FerscopeError):
    """A perturbation leaves no face to predict."""


class RecipeError(FerscopeError):
    """A recipe has an unknown key, a value of a wrong type or contradictory options."""


class TrainingError(FerscopeError):
    """A training run cannot begin, continue or be stored; finished epochs remain stored."""


class BatchError(FerscopeError):
    """A batch cannot begin, continue or be stored; what it has stored remains."""
