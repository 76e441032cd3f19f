"""The folder of an unfinished or finished training run: its paths, its lock and what it holds.

Every file is written under a temporary name and then moved, and ``state.pt`` alone defines the last finished epoch. A
run resumes from it after its process was killed.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from filelock import FileLock, Timeout

from core.checkpoints.weights import save_weights
from core.data import DatasetInfo
from core.errors import RecipeError, TrainingError
from core.files import write_atomically, write_text
from core.models import Network
from core.training.recipe import Recipe, as_values, recipe_from
from core.validation import first_line


@dataclass(frozen=True)
class RunFolder:
    """``runs/<recipe's name>``; nothing is created before :meth:`claim`."""

    path: Path

    @property
    def origin_path(self) -> Path:
        """The recipe and the data set of the run, a JSON file."""
        return self.path / "run.json"

    @property
    def state_path(self) -> Path:
        """Everything needed to resume after the last finished epoch."""
        return self.path / "state.pt"

    @property
    def history_path(self) -> Path:
        """One row per finished epoch, a CSV file written from the state."""
        return self.path / "history.csv"

    def weights_path(self, epoch: int) -> Path:
        """The weights of the best epoch so far, a safetensors file in full precision."""
        return self.path / f"best-{epoch:04}.safetensors"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Exclude other processes. A killed process frees the lock.

        Raises TrainingError where another process trains here, or where the folder cannot be written.
        """
        lock = FileLock(self.path / "lock")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise TrainingError(
                f"another process is training in {self.path}; wait until it ends, or give another folder with --runs"
            ) from None
        except OSError as error:
            raise TrainingError(
                f"{self.path} cannot be written ({error.strerror or error}); give another folder with --runs"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def finished_epochs(self) -> int:
        """How many epochs the history has; 0 where nothing is finished."""
        return len(self.history())

    def is_finished(self, recipe: Recipe) -> bool:
        """Whether every epoch of its recipe is stored. Raises TrainingError where the state is damaged."""
        state = self.load_state()
        return state is not None and state["epoch"] >= recipe.epochs

    def hardware(self) -> str:
        """The hardware that its epochs were trained on; empty where none is stored. Raises TrainingError where the
        state is damaged."""
        return " and ".join((self.load_state() or {}).get("hardware", ()))

    def beside(self, recipe: Recipe) -> RunFolder:
        """The folder of another recipe's run, next to this one."""
        return RunFolder(self.path.with_name(recipe.name))

    def history(self) -> pd.DataFrame:
        """One row per finished epoch."""
        return pd.read_csv(self.history_path) if self.history_path.is_file() else pd.DataFrame()

    def claim(self, recipe: Recipe, data: DatasetInfo) -> None:
        """Prepare the folder for a recipe and a data set, and repair what a killed process left behind.

        Raises RecipeError where the folder holds a run of another version of the recipe, TrainingError where it was
        trained on other images or labels, or where its state is damaged.
        """
        state = self.load_state()
        if state is None:
            self._remove_other_weights(None)
        else:
            self._check_origin(recipe, data, state)
            self._write_history(state)
            self._remove_other_weights(self.weights_path(state["best_epoch"]))
        with self._writing(0 if state is None else state["epoch"]):
            write_text(self.origin_path, json.dumps(origin(recipe, data), indent=2) + "\n")

    def save_epoch(self, state: dict[str, Any], best: Network | None) -> None:
        """Store an epoch. ``best`` is the network of the best epoch, written unless it is stored already.

        Raises TrainingError for a full disk.
        """
        best_path = self.weights_path(state["best_epoch"])
        with self._writing(self.finished_epochs()):
            if best is not None and not best_path.is_file():
                save_weights(best, best_path, half=False)
            write_atomically(self.state_path, lambda partial: torch.save(state, partial))
            self._write_history(state)
            self._remove_other_weights(best_path)

    def load_state(self) -> dict[str, Any] | None:
        """The last finished epoch, on the CPU; None for a new run. Raises TrainingError where it is damaged."""
        state = self._read_state()
        if state is not None and not self.weights_path(state["best_epoch"]).is_file():
            state = self._read_state()  # another process may have stored an epoch in between
        if state is not None and not self.weights_path(state["best_epoch"]).is_file():
            raise self._incomplete(self.weights_path(state["best_epoch"]).name)
        return state

    def _read_state(self) -> dict[str, Any] | None:
        if not self.state_path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.state_path, map_location="cpu", weights_only=True)
            missing = {"recipe", "data", "epoch", "best_epoch", "history"} - set(state)
        except (RuntimeError, OSError, EOFError, ValueError, TypeError, pickle.UnpicklingError) as error:
            raise TrainingError(
                f"{self.state_path} cannot be read ({first_line(error)}); delete the folder {self.path} to "
                "train from the beginning"
            ) from error
        if missing:
            raise self._incomplete(f"the entry {min(missing)}")
        return state

    def _incomplete(self, lacking: str) -> TrainingError:
        return TrainingError(
            f"{self.path} lacks {lacking}, so the run cannot be resumed; delete the folder to train from the beginning"
        )

    def _check_origin(self, recipe: Recipe, data: DatasetInfo, state: dict[str, Any]) -> None:
        if recipe_from(state["recipe"]) != recipe:
            raise RecipeError(
                f"{self.path} holds a run of another version of {recipe.name}; delete that folder, or give the recipe "
                "another name"
            )
        trained_on = state["data"]
        if data.fingerprint != trained_on["fingerprint"]:  # a run is not resumed on a copy either
            raise TrainingError(
                f"{self.path} holds a run on {trained_on['title']} with the fingerprint "
                f"{trained_on['fingerprint'][:12]}…, but the data set given is {data.title} with "
                f"{data.fingerprint[:12]}…; use the data set of that run, delete the folder, or give another one with "
                "--runs"
            )

    def _remove_other_weights(self, best: Path | None) -> None:
        for path in self.path.glob("best-*.safetensors"):
            if path != best:
                path.unlink()

    def _write_history(self, state: dict[str, Any]) -> None:
        text = pd.DataFrame(state["history"]).to_csv(index=False)
        if not self.history_path.is_file() or self.history_path.read_text(encoding="utf-8") != text:
            write_text(self.history_path, text)

    @contextmanager
    def _writing(self, kept_epoch: int) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
            reason = getattr(error, "strerror", None) or first_line(error)
            raise TrainingError(
                f"{self.path} cannot be written ({reason}); epoch {kept_epoch} is stored. Free some disk space, then "
                "run the same command again to resume"
            ) from error


def origin(recipe: Recipe, data: DatasetInfo) -> dict[str, Any]:
    """What a run belongs to, as plain values."""
    return {"recipe": as_values(recipe), "data": {"title": data.title, "fingerprint": data.fingerprint}}
