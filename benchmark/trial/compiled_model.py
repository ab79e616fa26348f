"""A compiled model whose traced step serves every trial of the same key: other seeds, rates and data.

Tracing a training step costs seconds and memory that is never given back, building a network and tracing its prediction
another two; a trial with another loss reuses the latter.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from ...core.recipe import Recipe
from ...core.record import TERM
from ...core.task import Task
from ...core.trial import Trial
from ...losses import LOSSES
from ...losses.auxiliary_targets import append_targets, required_targets
from ...losses.terms import collected
from ...models import MODELS
from ...models.parts.fit import require
from ...models.parts.saved import saved_as
from ...runtimes import RUNTIMES
from .adam import Adam, AdamW
from .consistency import AveragedTeacher
from .holding import holding
from .origin import Origin, Teaching, starting_network, teaching
from .windows import Windows

LossFunction = Callable[[Any, Any], Any]


class CompiledModel:
    """Model, loss and optimizer of one `Trial.compile_key`, compiled once; its network serves other losses too.

    model: the Keras model that is trained. loss(truth, logits): one value a case. forward(images): logits, one trace
    for all sizes. requires_targets: what the loss needs besides the truth; see `losses.auxiliary_targets`.
    initialisation: where the present weights came from: random, imagenet, a file or a trained trial. origin: what the
    trial comes from, whose network is pruned or teaches.
    """

    def __init__(self, trial: Trial, task: Task, origin: Origin | None = None) -> None:
        self.task, self.network_key, self.origin = task, trial.network_key, origin
        keras.mixed_precision.set_dtype_policy(trial.recipe.precision)
        self.network = starting_network(trial, origin) or _build(trial, task, trial.seed)
        self.initialisation = initialisation_info(self.network)
        self._begun = _begun(trial, self.network)
        check_patch(trial, self.network)
        self.forward = RUNTIMES["keras"](self.network)
        self._compile(trial)

    def take(self, trial: Trial) -> None:
        """Become as new for a trial of the same network: its weights as its seed makes them, its loss and optimizer."""
        keras.mixed_precision.set_dtype_policy(trial.recipe.precision)
        if trial.seed != self._begun[0]:
            self._begun = _begun(trial, _build(trial, self.task, trial.seed))
        _, self.initialisation, values = self._begun
        for variable, value in zip(self.network.variables, values, strict=True):
            variable.assign(value)
        if trial.compile_key != self.key:
            self._compile(trial)
            return
        if self.teacher is not None:
            self.teacher.reset()
        optimizer = self.model.optimizer
        for variable, value in zip(optimizer.variables, self._fresh, strict=True):
            variable.assign(np.zeros(variable.shape, variable.dtype) if value is None else value)
        optimizer.learning_rate = trial.training.rate

    def _compile(self, trial: Trial) -> None:
        network, task = self.network, self.task
        self.key, self.loss = trial.compile_key, loss_function(trial, task)
        self.requires_targets = required_targets(LOSSES[trial.loss.name], trial.loss.options)
        several = len(network.outputs) > 1
        taught = teaching(trial, self.origin, task) or holding(trial, self.origin, network, task)
        objective = _on_every_output(trial, task) if several else self.loss
        terms = _terms(objective, network.outputs, task, self.requires_targets)
        self.teacher = self._averaged_teacher(trial)
        kind = CustomLossModel if several or terms or taught or self.teacher else keras.Model
        self.model: Any = kind(network.inputs, network.outputs if several else network.outputs[0])
        if kind is CustomLossModel:
            self.model.set_loss(objective, terms, taught, self.teacher)
        self.model.compile(_optimizer(trial.training), loss=self._mean, jit_compile=_jit())
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh = [_nonzero(variable) for variable in self.model.optimizer.variables]

    def _averaged_teacher(self, trial: Trial) -> AveragedTeacher | None:
        recipe = trial.recipe
        if not recipe.consistency:
            return None
        network = starting_network(trial, self.origin) or _build(trial, self.task, trial.seed)
        asked = {"weight": recipe.consistency, "decay": recipe.teacher_decay, "flips": recipe.augment.flips}
        return AveragedTeacher(network, self.network, self.task, **asked)

    def targets(self, images: np.ndarray, truths: np.ndarray, progress: float = 1.0) -> np.ndarray:
        """Truths with the maps that the loss needs as further channels; progress: the share of training done."""
        return append_targets(truths, self.task, self.requires_targets, progress, images)

    @property
    def takes_batch_statistics(self) -> bool:
        """Whether a layer that is trained normalises over the cases of a batch, as Keras' BatchNormalization does."""
        layers: list[Any] = self.network._flatten_layers(include_self=False)
        return any(isinstance(layer, keras.layers.BatchNormalization) and layer.trainable for layer in layers)

    def state(self) -> list[np.ndarray]:
        """Copies of everything that a training step changes."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        return [_array(variable) for variable in variables]

    def restore(self, state: list[np.ndarray]) -> None:
        """Put back what `state` returned."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of what prediction needs: weights and moving statistics."""
        return [_array(variable) for variable in self.model.variables]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Put back what `get_weights` returned."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)

    def _mean(self, truth: Any, logits: Any) -> Any:
        return keras.ops.mean(self.loss(truth, logits))


@saved_as("Taught")
class CustomLossModel(keras.Model):
    """A model that learns from all its outputs, of which the first predicts, and tells the terms of its loss.

    The mean of each term over an epoch's steps stands in the logs as `loss: <term>`.
    """

    def set_loss(
        self,
        objective: LossFunction,
        terms: Sequence[str],
        teaching: Teaching | None = None,
        teacher: AveragedTeacher | None = None,
    ) -> None:
        """Learn by this loss, one value a case, which notes these terms, and by what a teacher says of the images.

        teacher: one of averaged weights, beside.
        """
        self.objective, self.teaching, self.teacher = objective, teaching, teacher
        if teacher is not None:  # so that a step of every backend sees how they change
            self.teacher_network, self.teacher_share, self.teacher_steps = teacher.network, teacher.share, teacher.steps
        self.terms = [keras.metrics.Mean(f"{TERM}{name}") for name in terms]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean of the objective over the cases."""
        with collected() as found:
            values = self.objective(y, y_pred)
        for metric, term in zip(self.terms, found.values(), strict=True):
            metric.update_state(keras.ops.mean(term))
        first = y_pred[0] if isinstance(y_pred, list | tuple) else y_pred
        if self.teaching is not None:
            values = self.teaching(x, y, first, values)
        if self.teacher is not None:
            values = values + self.teacher(x, first)
        return keras.ops.mean(values)


def _terms(objective: LossFunction, outputs: list[Any], task: Task, required: tuple[str, ...]) -> list[str]:
    """Names of the terms that the loss notes, from a case of two pixels an axis."""
    space = (2,) * task.rank
    truth = append_targets(np.zeros((1, *space, task.truth_channels), np.float32), task, required)
    logits = [np.zeros((1, *space, task.outputs), np.float32) for _ in outputs]
    with collected() as found:
        objective(truth, logits if len(logits) > 1 else logits[0])
    return list(found)


def _on_every_output(trial: Trial, task: Task) -> LossFunction:
    """The trial's loss on every output with the weights of `deep_supervision`, unless it is that loss itself."""
    if trial.loss.name == "deep_supervision":
        return loss_function(trial, task)
    every, name, options = LOSSES["deep_supervision"], trial.loss.name, trial.loss.options
    return lambda truth, outputs: every(truth, outputs, task, loss=name, options=options)


def loss_function(trial: Trial, task: Task) -> LossFunction:
    """The trial's loss as a function of truth and logits, one value a case."""
    part = LOSSES[trial.loss.name]
    return lambda truth, logits: part(truth, logits, task, **trial.loss.options)


def build(trial: Trial, task: Task) -> keras.Model:
    """The trial's model. Raises Unfit when it cannot serve the task."""
    return MODELS[trial.model.name](task, **trial.model.options)


def initialisation_info(model: keras.Model) -> dict[str, str]:
    """What a fresh model begins with: `initial_weights`, and `missing_weights` why not the others asked for."""
    begun = {"initial_weights": getattr(model, "initial_weights", "random")}
    missing = getattr(model, "missing_weights", "")
    return {**begun, "missing_weights": missing} if missing else begun


def check_patch(trial: Trial, model: keras.Model) -> None:
    """Raise Unfit when the recipe's patch or memory bound does not suit the model, naming one that does."""
    require(model, trial.recipe.patch, "recipe.patch")
    Windows.of(model, trial.recipe)


def _build(trial: Trial, task: Task, seed: int) -> keras.Model:
    # Initialisers and dropout draw their seeds from Python's generator, in the order the layers are made.
    keras.utils.set_random_seed(seed)
    return build(trial, task)


def _begun(trial: Trial, network: keras.Model) -> tuple[int, dict[str, str], list[np.ndarray]]:
    """The seed of a fresh network, where its weights came from, and copies of them."""
    return trial.seed, initialisation_info(network), [_array(variable) for variable in network.variables]


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    clip = recipe.clip_norm or None
    parts = recipe.micro_batches if recipe.micro_batches > 1 else None
    shared: dict[str, Any] = {"global_clipnorm": clip, "gradient_accumulation_steps": parts}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(
            recipe.rate, momentum=0.99, nesterov=True, weight_decay=recipe.weight_decay or None, **shared
        )
    if recipe.optimizer == "adamw":
        return AdamW(recipe.rate, weight_decay=recipe.weight_decay, **shared)
    return Adam(recipe.rate, weight_decay=recipe.weight_decay or None, **shared)


def _jit() -> Any:
    # On CPU the TensorFlow graph without XLA is 1.2 to 9 times as fast as with it.
    return False if keras.backend.backend() == "tensorflow" else "auto"


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value))


def _nonzero(variable: Any) -> np.ndarray | None:
    # Asked where the values are: a copy of the moments of 140 million weights takes half a second.
    return _array(variable) if bool(keras.ops.any(variable.value)) else None
