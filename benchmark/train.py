"""Train one trial and freeze its selection: best epoch and threshold on validation, before any test image is read."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..core.errors import DataError, Diverged
from ..core.recipe import Recipe
from ..datasets.patches import PatchSampler
from .graph import TERM, Graph
from .validate import Tiles, best_threshold, validate

Tell = Callable[[dict[str, Any]], None]

SAVE_EVERY_S = 60.0
"""Seconds of training between two checkpoints from which a killed trial goes on."""


@dataclass(frozen=True)
class Selection:
    """What validation chose. Only with one in hand can test cases be scored."""

    epoch: int
    score: float
    monitor: str
    threshold: float


@dataclass
class Progress:
    """Where training stands after an epoch: enough, with the arrays, to go on bit for bit."""

    epoch: int = 0
    best_epoch: int = 0
    best: float = -np.inf
    since_best: int = 0
    since_drop: int = 0
    rate: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Feed(keras.utils.PyDataset):
    """The batches of the epoch at hand, as Keras wants them: images, and `targets(truths, epoch)`."""

    def __init__(
        self, sampler: PatchSampler, targets: Callable[[np.ndarray, int], np.ndarray] = lambda truths, _: truths
    ) -> None:
        super().__init__()
        self.sampler, self.targets, self.epoch = sampler, targets, 0

    def __len__(self) -> int:
        return len(self.sampler)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        images, truths = self.sampler.batch(self.epoch, index)
        return images, self.targets(truths, self.epoch)


def train(
    graph: Graph, sampler: PatchSampler, cut: Tiles, recipe: Recipe, *, tell: Tell, checkpoint: Path | None = None
) -> tuple[Selection, list[dict[str, float]]]:
    """Train from the graph's present weights, leave the selected ones in it, return selection and history.

    checkpoint: a file from which an interrupted training goes on, and where it is kept; removed at the end.
    Raises Diverged at the first loss that is not finite, DataError when validation cannot choose.
    """
    if recipe.monitor == "dice" and not _has_foreground(cut, graph):
        raise DataError("validation: no case has a foreground pixel, so Dice cannot choose; set recipe.monitor: loss")
    last = max(1, recipe.epochs - 1)
    feed = Feed(sampler, lambda truths, epoch: graph.targets(truths, progress=epoch / last))
    watch = _Watch(graph, feed, cut, recipe, tell, checkpoint)
    if watch.progress.epoch < recipe.epochs and not watch.finished():
        graph.model.fit(
            feed,
            epochs=recipe.epochs,
            initial_epoch=watch.progress.epoch,
            callbacks=[watch],
            verbose=0,  # pyright: ignore[reportArgumentType]  # Keras takes numbers
            shuffle=False,
        )
    graph.use(watch.weights)
    progress = watch.progress
    score = progress.best if recipe.monitor == "dice" else -progress.best
    threshold = recipe.threshold
    if threshold == "tuned":
        threshold, _ = best_threshold(graph.forward, cut, graph.task, batch=recipe.batch)
    return Selection(progress.best_epoch, score, recipe.monitor, float(threshold)), progress.history


class _Watch(keras.callbacks.Callback):
    """After each epoch: validate, keep the best weights, lower the rate, stop early, write the checkpoint."""

    def __init__(
        self, graph: Graph, feed: Feed, cut: Tiles, recipe: Recipe, tell: Tell, checkpoint: Path | None
    ) -> None:
        super().__init__()
        self.graph, self.feed, self.cut, self.recipe, self.tell = graph, feed, cut, recipe, tell
        self.checkpoint, self.targets = checkpoint, graph.targets(cut.truths)
        self.progress, self.weights = Progress(rate=recipe.rate), graph.weights()
        if checkpoint is not None and checkpoint.exists():
            self.progress, self.weights = _load(checkpoint, graph)
        self.started = self.saved = self.told = time.perf_counter()

    def finished(self) -> bool:
        """Whether early stopping had already ended the training that a checkpoint was taken from."""
        return 0 < self.recipe.stop_patience <= self.progress.since_best

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.feed.epoch, self.started = epoch, time.perf_counter()
        self.graph.model.optimizer.learning_rate = self.rate(epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            names = ", ".join(self.feed.sampler.names(self.feed.epoch, batch))
            step = self.feed.epoch * len(self.feed) + batch + 1
            terms = "".join(f", {name.removeprefix(TERM)} {value:.4g}" for name, value in _terms(logs).items())
            raise Diverged(
                f"loss is {loss}{terms} at step {step} (epoch {self.feed.epoch + 1}); the batch holds {names}"
            )
        if time.perf_counter() - self.told > 0.1:
            self.told = time.perf_counter()
            self.tell({"phase": "train", "epoch": self.feed.epoch, "step": batch + 1, "of": len(self.feed)})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.started
        graph, batch = self.graph, self.recipe.batch
        found = validate(graph.forward, graph.loss, self.cut, graph.task, batch=batch, targets=self.targets)
        row = {"epoch": epoch + 1, "loss": float((logs or {})["loss"]), "val_loss": found.loss, "val_dice": found.dice}
        row |= _terms(logs) | {"rate": self.rate(epoch), "train_s": seconds}
        row["validate_s"] = time.perf_counter() - self.started - seconds
        self.progress.history.append(row)
        self._judge(epoch, found.dice if self.recipe.monitor == "dice" else -found.loss)
        self.tell({"phase": "epoch", "epoch": epoch + 1, **row, "best": self.progress.best})
        if self.finished():
            self.graph.model.stop_training = True
        if self.checkpoint is not None and time.perf_counter() - self.saved > SAVE_EVERY_S:
            self._save(self.checkpoint)

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        recipe = self.recipe
        if epoch < recipe.warmup:
            return recipe.rate * (epoch + 1) / (recipe.warmup + 1)
        if recipe.schedule == "cosine":
            share = (epoch - recipe.warmup) / max(1, recipe.epochs - recipe.warmup)
            return recipe.rate * 0.5 * (1 + float(np.cos(np.pi * share)))
        return self.progress.rate

    def _save(self, file: Path) -> None:
        try:
            _save(file, self.graph, self.progress, self.weights)
        except OSError as error:  # training goes on; a broken-off trial would start anew
            print(f"{file}: checkpoint not written: {error}", file=sys.stderr)
        self.saved = time.perf_counter()

    def _judge(self, epoch: int, score: float) -> None:
        progress = self.progress
        progress.epoch = epoch + 1
        if score > progress.best:
            progress.best, progress.best_epoch = score, epoch + 1
            progress.since_best = progress.since_drop = 0
            self.weights = self.graph.weights()
            return
        progress.since_best += 1
        progress.since_drop += 1
        if self.recipe.schedule == "plateau" and progress.since_drop >= self.recipe.patience:
            progress.rate *= self.recipe.factor
            progress.since_drop = 0


def _terms(logs: Any) -> dict[str, float]:
    """Means of the loss's terms over the epoch so far."""
    return {name: float(value) for name, value in (logs or {}).items() if name.startswith(TERM)}


def _has_foreground(cut: Tiles, graph: Graph) -> bool:
    foreground = cut.truths > 0
    if graph.task.ignore is not None:
        foreground &= cut.truths != graph.task.ignore
    return bool(foreground.any())


def _save(file: Path, graph: Graph, progress: Progress, weights: list[np.ndarray]) -> None:
    arrays = {f"state_{index}": value for index, value in enumerate(graph.state())}
    arrays |= {f"best_{index}": value for index, value in enumerate(weights)}
    aside = file.with_suffix(".part.npz")
    np.savez(aside, progress=np.array(json.dumps(asdict(progress))), **arrays)  # pyright: ignore[reportArgumentType]
    aside.replace(file)


def _load(file: Path, graph: Graph) -> tuple[Progress, list[np.ndarray]]:
    with np.load(file) as arrays:
        progress = Progress(**json.loads(str(arrays["progress"])))
        count = sum(name.startswith("state_") for name in arrays.files)
        graph.restore([arrays[f"state_{index}"] for index in range(count)])
        best = [arrays[f"best_{index}"] for index in range(sum(name.startswith("best_") for name in arrays.files))]
    return progress, best
