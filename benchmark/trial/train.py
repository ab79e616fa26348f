"""Train one trial and freeze its selection: epoch and threshold on validation, before a test case is predicted."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ...core.errors import DataError, Diverged, Stopped
from ...core.recipe import Recipe
from ...core.record import TERM
from ...datasets.patches import PatchSampler
from ...models.lighter.magnitude import GradualPruning, Magnitude
from .averages import Averages
from .averaging import cycle_epochs
from .checkpoint import Damaged, Epoch, TrainingState, load, save
from .compiled_model import CompiledModel
from .selection import CANDIDATES, Selection, select
from .step_clock import StepClock
from .validate import Tiles, ValidationCases, best_threshold, validate

ProgressCallback = Callable[[dict[str, Any]], bool | None]
"""Is told of every phase; returns whether the trial is to end, which it does after the epoch at hand."""

SAVE_EVERY_S = 60.0
"""Seconds of training between two checkpoints from which a killed trial goes on."""


class PatchDataset(keras.utils.PyDataset):
    """The batches of the epoch at hand, as Keras wants them: images, and `targets(images, truths, epoch)`."""

    def __init__(
        self,
        sampler: PatchSampler,
        targets: Callable[[np.ndarray, np.ndarray, int], np.ndarray] = lambda images, truths, epoch: truths,
    ) -> None:
        super().__init__()
        self.sampler, self.targets, self.epoch = sampler, targets, 0

    def __len__(self) -> int:
        return len(self.sampler)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        images, truths = self.sampler.batch(self.epoch, index)
        return images, self.targets(images, truths, self.epoch)


def train(
    compiled: CompiledModel,
    sampler: PatchSampler,
    cases: ValidationCases,
    recipe: Recipe,
    *,
    on_progress: ProgressCallback,
    checkpoint: Path | None = None,
    pruning: Magnitude | None = None,
    clock: StepClock | None = None,
    until: int = 0,
    averages: Averages | None = None,
) -> tuple[Selection, list[dict[str, float]]]:
    """Train from the model's present weights, leave the selected ones in it, return selection and history.

    checkpoint: a file from which an interrupted training goes on, and where it is kept; it is deleted when the
        record is written. Raises Stopped after an epoch at which `on_progress` asks for it.
    pruning: set weights to zero on the way; then only an epoch that ends with the sparsity asked for can be selected.
    clock: is to read how long steps take. until: the last epoch, 0 for the recipe's; after an earlier one a checkpoint
        is left, from which training goes on bit for bit. averages: is shown the weights after each step and epoch.
    Raises Diverged at the first loss that is not finite and when no validation score is, DataError when validation
    cannot choose.
    """
    if recipe.monitor == "dice" and not _has_foreground(cases.tiles, compiled):
        raise DataError("validation: no case has a foreground pixel, so Dice cannot choose; set recipe.monitor: loss")
    last = max(1, recipe.epochs - 1)
    parts = sampler.in_parts(recipe.micro_batches)
    batches = PatchDataset(parts, lambda images, truths, epoch: compiled.targets(images, truths, epoch / last))
    selector = _SelectionCallback(compiled, batches, cases, recipe, on_progress, checkpoint, averages)
    if pruning is not None:
        selector.prune(pruning)
    ends = min(until or recipe.epochs, recipe.epochs)
    if selector.state.epoch < ends and not selector.finished():
        on_progress({"phase": "train", "epoch": selector.state.epoch, "step": 0, "of": selector.steps})
        compiled.model.fit(
            batches,
            epochs=ends,
            initial_epoch=selector.state.epoch,
            callbacks=[clock, selector] if clock else [selector],  # the clock first: the other one takes time
            verbose=0,  # pyright: ignore[reportArgumentType]  # Keras takes numbers
            shuffle=False,
        )
    if ends < recipe.epochs and not selector.finished():
        selector.save()  # before selection puts other weights into the model
    selection = select(compiled, selector.state.best, selector.weights, cases, recipe)
    if recipe.threshold == "tuned":
        threshold, _ = best_threshold(compiled.forward, cases.whole(), compiled.task, batch=recipe.micro_batch)
        selection = replace(selection, threshold=float(threshold))
    return selection, selector.state.history


class _SelectionCallback(keras.callbacks.Callback):
    """After each epoch: validate, keep the best weights, lower the rate, stop early, write the checkpoint."""

    def __init__(
        self,
        compiled: CompiledModel,
        batches: PatchDataset,
        cases: ValidationCases,
        recipe: Recipe,
        on_progress: ProgressCallback,
        checkpoint: Path | None,
        averages: Averages | None = None,
    ) -> None:
        super().__init__()
        self.compiled, self.batches, self.recipe, self.on_progress = compiled, batches, recipe, on_progress
        self.averages = averages
        self.checkpoint, self.looked_at = checkpoint, [(cases.tiles, cases.targets(compiled.targets))]
        self.steps, self.warned = len(batches) // recipe.micro_batches, False
        self.kept = CANDIDATES if cases.sampled else 1
        self.state, self.weights = TrainingState(rate=recipe.rate), []
        if checkpoint is not None and checkpoint.exists():
            self._resume(checkpoint)
        self.pruning: GradualPruning | None = None
        self.started = self.saved = self.told = time.perf_counter()

    def prune(self, asked: Magnitude) -> None:
        """Prune on the way, from where training stands."""
        steps, begun = self.recipe.epochs * self.steps, self.state.epoch > 0
        self.pruning = GradualPruning(self.compiled.model, asked, steps, begun=begun)

    def _resume(self, file: Path) -> None:
        try:
            self.state, self.weights = load(file, self.compiled, self.averages)
            self.on_progress({"phase": "resume", "history": self.state.history})
        except Damaged as error:
            aside = file.with_name(f"{file.stem}.damaged{file.suffix}")
            file.replace(aside)
            text = f"checkpoint {file} cannot be used ({error}); it is {aside.name} now, and training begins anew"
            self.on_progress({"phase": "warning", "text": text})

    def finished(self) -> bool:
        """Whether early stopping had already ended the training that a checkpoint was taken from."""
        return 0 < self.recipe.stop_patience <= self.state.since_best

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.batches.epoch, self.started = epoch, time.perf_counter()
        if self.compiled.teacher is not None:
            self.compiled.teacher.begin_epoch(epoch / max(1, self.recipe.epochs - 1))
        self.compiled.model.optimizer.learning_rate = self.rate(epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float((logs or {})["loss"])
        done, part = divmod(batch + 1, self.recipe.micro_batches)
        if self.pruning is not None and not part:
            self.pruning.after_step(self.batches.epoch * self.steps + done)
        if self.compiled.teacher is not None and not part:
            self.compiled.teacher.after_step(self.compiled.model)
        if self.averages is not None and not part:
            self.averages.after_step()
        if not np.isfinite(loss):
            names = ", ".join(self.batches.sampler.names(self.batches.epoch, batch))
            step = self.batches.epoch * self.steps + done + bool(part)
            terms = "".join(f", {name.removeprefix(TERM)} {value:.4g}" for name, value in _terms(logs).items())
            raise Diverged(
                f"loss is {loss}{terms} at step {step} (epoch {self.batches.epoch + 1}); the batch holds {names}"
            )
        if not part and time.perf_counter() - self.told > 0.1:
            self.told = time.perf_counter()
            where = {"epoch": self.batches.epoch, "step": done, "of": self.steps}
            self.on_progress({"phase": "train", **where, "loss": loss})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.started
        compiled, batch = self.compiled, self.recipe.micro_batch
        found = validate(compiled.forward, compiled.loss, self.looked_at, compiled.task, batch=batch)
        row = {"epoch": epoch + 1, "loss": float((logs or {})["loss"]), "val_loss": found.loss, "val_dice": found.dice}
        row |= _terms(logs) | {"rate": self.rate(epoch), "train_s": seconds}
        row["validate_s"] = time.perf_counter() - self.started - seconds
        self.state.history.append(row)
        if self.averages is not None:
            self.averages.after_epoch(epoch + 1)
        self._update_best(Epoch(epoch + 1, found.dice if self.recipe.monitor == "dice" else -found.loss, found.loss))
        ends = self.on_progress({"phase": "epoch", "epoch": epoch + 1, **row, "best": self.state.best_score})
        if self.finished():
            self.compiled.model.stop_training = True
        if ends or time.perf_counter() - self.saved > SAVE_EVERY_S:
            self.save()
        if ends:
            raise Stopped(f"after epoch {epoch + 1}")

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        recipe = self.recipe
        if epoch < recipe.warmup:
            return recipe.rate * (epoch + 1) / (recipe.warmup + 1)
        if recipe.schedule == "cosine":
            share = (epoch - recipe.warmup) / max(1, recipe.epochs - recipe.warmup)
            if recipe.cycles > 1:
                share = epoch % cycle_epochs(recipe) / cycle_epochs(recipe)
            return recipe.rate * 0.5 * (1 + float(np.cos(np.pi * share)))
        return self.state.rate

    def save(self) -> None:
        """Write the checkpoint, if one is kept."""
        if self.checkpoint is None:
            return
        try:
            save(self.checkpoint, self.compiled, self.state, self.weights, self.averages)
        except OSError as error:  # training goes on; a broken-off trial would go on from an earlier checkpoint
            if not self.warned:
                text = f"checkpoint {self.checkpoint} not written: {error.strerror or error}"
                self.on_progress({"phase": "warning", "text": text})
            self.warned = True
        self.saved = time.perf_counter()

    def _update_best(self, latest: Epoch) -> None:
        """Keep it if it is among the best; an equal score with a lower loss is better, for plateau and stopping too."""
        state = self.state
        state.epoch = latest.epoch
        if self.pruning is not None and not self.pruning.reached(latest.epoch * self.steps):
            return
        finite = math.isfinite(latest.score)
        better = finite and (not state.best or latest.beats(state.best[0]))
        place = sum(not latest.beats(other) for other in state.best)
        if place < self.kept and finite:
            state.best = [*state.best[:place], latest, *state.best[place:]][: self.kept]
            kept = [*self.weights[:place], self.compiled.get_weights(), *self.weights[place:]]
            self.weights = kept[: self.kept]
        if better:
            state.since_best = state.since_drop = 0
            return
        state.since_best += 1
        state.since_drop += 1
        if self.recipe.schedule == "plateau" and state.since_drop >= self.recipe.patience:
            state.rate *= self.recipe.factor
            state.since_drop = 0


def _terms(logs: Any) -> dict[str, float]:
    """Means of the loss's terms over the epoch so far."""
    return {name: float(value) for name, value in (logs or {}).items() if name.startswith(TERM)}


def _has_foreground(tiles: Tiles, compiled: CompiledModel) -> bool:
    ignore = compiled.task.ignore
    foreground = (truth[truth != ignore] if ignore is not None else truth for truth in tiles.truths)
    return any(truth.any() for truth in foreground)
