"""Whether a part does what parts of its kind must, from one small run of it; an error names it and what is wrong.

A part of a user's own is run so before anything is trained (`check_part`), and a trial's model and loss once more when
its worker makes them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import keras
import numpy as np

from ...core.errors import PartError, UnetbenchError, one_line
from ...core.task import Task
from ...core.trial import Choice, Trial
from ...losses import LOSSES
from ...losses.auxiliary_targets import append_targets, required_targets
from ...metrics import METRICS
from ...metrics.pair import Missing, Pair
from ...metrics.score import as_number
from ...models import MODELS
from ...runtimes import RUNTIMES
from .context import Context, OpenedDataset
from .gradients import loss_gradient, weight_gradients
from .own_parts import PartCheck
from .windows import Windows

CASES = 2
"""Cases in a batch of a check: no edge of theirs is this long, so that axes cannot be taken for one another."""

STRIPE = 3
"""Width of an object in the truth of a check: thin, so that it has a skeleton, too."""

MARGIN = 1e-4
"""Share of both by which a wrong prediction must cost more than a right one; less is rounding."""

ALONE = 1e-3
"""Of its value, by which a case's loss may differ between batches; less is rounding."""

RIGHT = 4.0
"""Logits of a prediction that is right are this far from 0."""

Forward = Callable[[np.ndarray], np.ndarray]


def check_part(check: PartCheck, opened: OpenedDataset, context: Context) -> None:
    """Run the part as the trial uses it. Raises PartError, Unfit for a model, DataError for a data set."""
    kind, name = check.key.split(" ", 1)
    part, trial = check.part, check.trial
    if kind == "datasets":
        check_cases(part, opened)
    elif kind == "models":
        with _named(part):
            network = MODELS[trial.model.name](opened.task, **trial.model.options)
        check_network(part, network, trial, opened.task, gradients=True)
    elif kind == "losses":
        check_loss(part, trial.loss, opened.task, trial.recipe.patch)
    elif kind == "metrics":
        check_metric(part, METRICS[name], opened.task.rank)
    else:
        for runtime in (runtime for runtime in context.runtimes if runtime.name == name):
            check_runtime(part, runtime, opened.task)


def check_network(
    part: str, network: Any, trial: Trial, task: Task, forward: Forward | None = None, *, gradients: bool = False
) -> None:
    """Predict one image of a patch and one that is longer, as test cases are predicted.

    Each output must be `(n, *space, k)`, finite, and logits: values that all lie in 0 to 1 are probabilities. forward:
    predicts instead of the network itself. gradients: the weights' must be finite, and not all zero. Raises PartError.
    """
    if not isinstance(network, keras.Model):
        raise PartError(f"{part}: gives {_kind(network)}; a keras.Model is possible")
    outputs = list(getattr(network, "outputs", None) or ())
    if not outputs:
        raise PartError(
            f"{part}: is a class of keras.Model whose outputs are not known; keras.Model(inputs, outputs) is possible"
        )
    for output in outputs:
        if len(output.shape) != task.rank + 2 or output.shape[-1] != task.outputs:
            raise PartError(
                f"{part}: has an output of shape {_shape(output.shape)}; (n, {task.rank} axes, {task.outputs}) is "
                "possible, the logits of each class"
            )
    with _named(part):
        windows = Windows.of(network, trial.recipe)
    longer = (*windows.patch[:-1], windows.patch[-1] + windows.unit[-1])
    rng = np.random.default_rng(0)
    for window in dict.fromkeys(windows.window(space) for space in (windows.patch, longer)):
        images = rng.standard_normal((1, *window, task.channels), np.float32)
        with _named(part):
            logits = (forward or _eager(network))(images)
        _check_logits(part, logits, (1, *window, task.outputs))
    if not network.trainable_variables:
        raise PartError(
            f"{part}: has no weight that is trained, so nothing can be learnt; set `trainable` where it should"
        )
    if gradients:
        with _named(part):
            found = weight_gradients(network, rng.standard_normal((CASES, *windows.patch, task.channels), np.float32))
        _check_gradient(part, np.concatenate([gradient.ravel() for gradient in found]), "its weights")


def check_loss(part: str, choice: Choice, task: Task, patch: Sequence[int]) -> None:
    """Compute the loss of two cases of unequal edges, predicted at random, right and wrong.

    It must be one finite number a case, be larger for a prediction that is wrong everywhere, and have a gradient that
    is finite, not all zero, and zero at ignored pixels. Raises PartError.
    """
    space = (*patch[:-1], patch[-1] + max(1, patch[-1] // 2))
    truth = _truth(task, space)
    given = append_targets(truth, task, required_targets(LOSSES[choice.name], choice.options)).astype(np.float32)

    def loss(targets: Any, logits: Any) -> Any:
        values = LOSSES[choice.name](targets, logits, task, **choice.options)
        if tuple(getattr(values, "shape", ())) != (CASES,):
            raise PartError(
                f"{part}: gives {_kind(values)} for {CASES} cases; one value a case is possible, shape ({CASES},): "
                "take the mean over all axes but the first"
            )
        return values

    logits = np.random.default_rng(0).standard_normal((CASES, *space, task.outputs), np.float32)
    right = _right(truth, task)
    with _named(part):
        gradient = loss_gradient(loss, given, logits)
        values, least, most = (_array(loss(given, made)) for made in (logits, right, -right))
        swapped = _array(loss(np.stack([given[0], given[0]]), np.stack([logits[0], logits[0]])))
    if not np.isfinite([values, least, most]).all():
        raise PartError(f"{part}: is {_numbers([*values, *least, *most])}; finite values are possible")
    if (most - least <= MARGIN * (np.abs(most) + np.abs(least))).any():
        raise PartError(
            f"{part}: a prediction that is right costs {_numbers(least)} and one that is wrong {_numbers(most)}; the "
            "right one must cost less: truth is whole numbers (n, *space, t), logits are (n, *space, k)"
        )
    if abs(swapped[0] - values[0]) > ALONE * max(1.0, abs(values[0])):
        raise PartError(
            f"{part}: a case costs {_numbers(values[:1])} beside one case and {_numbers(swapped[:1])} beside another; "
            "what it costs must not depend on the batch: take sums over all axes but the first"
        )
    _check_gradient(part, gradient, "the logits")
    inside = (logits >= 0) & (logits <= 1)
    if gradient[inside].any() and not gradient[~inside].any():
        raise PartError(
            f"{part}: sees logits only where they lie in 0 to 1, so it takes them for probabilities; apply "
            "keras.ops.sigmoid or softmax first, or say from_logits=True"
        )
    if task.ignore is not None and np.where(truth == task.ignore, gradient, 0).any():
        raise PartError(f"{part}: looks at pixels whose truth is the ignored value {task.ignore}; leave them out")


def check_metric(part: str, metric: Callable[[Pair], Any], rank: int) -> None:
    """Score a prediction that overlaps the truth, an empty one, and two empty masks, with and without objects.

    Raises PartError. A pair that lacks what the metric takes, as it says by `Missing`, is left out.
    """
    space = (12, 15, 9)[:rank]
    truth, shifted, empty = (np.zeros(space, bool) for _ in range(3))
    truth[(slice(2, 8),) * rank] = shifted[(slice(3, 9),) * rank] = True
    for predicted, true in ((shifted, truth), (empty, truth), (empty, empty)):
        for objects in ((true.astype(np.int32), predicted.astype(np.int32)), (None, None)):
            pair = Pair(true, predicted, (1.0,) * rank, None, *objects, predicted.astype(np.float32))
            with _named(part), suppress(Missing):
                as_number(metric(pair))


def check_runtime(part: str, choice: Choice, task: Task) -> None:
    """Run a network of one convolution on two images of unequal edges. Raises PartError."""
    image = keras.Input((None,) * task.rank + (task.channels,))
    convolution = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[task.rank]
    network = keras.Model(image, convolution(task.outputs, 3, padding="same")(image))
    space = (16, 24, 8)[: task.rank]
    images = np.random.default_rng(0).standard_normal((CASES, *space, task.channels), np.float32)
    with _named(part):
        found = RUNTIMES[choice.name](network, **choice.options)(images)
    if np.shape(found) != (CASES, *space, task.outputs) or not np.isfinite(np.asarray(found, np.float32)).all():
        raise PartError(
            f"{part}: gives {_kind(found)}; finite logits of shape {(CASES, *space, task.outputs)} are possible"
        )


def check_cases(part: str, opened: OpenedDataset) -> None:
    """Read and prepare the first case and the last. Raises PartError, DataError for a case that cannot be used."""
    for case in opened.dataset.cases[:: max(1, len(opened.dataset.cases) - 1)]:
        with _named(part):
            opened.prepare(case)


def _check_logits(part: str, logits: Any, shape: tuple[int, ...]) -> None:
    if np.shape(logits) != shape:
        raise PartError(f"{part}: gives {_kind(logits)} for an image of {shape[1:-1]}; {shape} is possible")
    if not np.isfinite(logits).all():
        raise PartError(f"{part}: gives values that are not finite for an image of noise")
    if logits.any() and logits.min() >= 0 and logits.max() <= 1:
        raise PartError(
            f"{part}: gives values from {logits.min():.3g} to {logits.max():.3g}, probabilities; return logits, "
            "without sigmoid or softmax"
        )


def _check_gradient(part: str, gradient: np.ndarray, of: str) -> None:
    if not np.isfinite(gradient).all():
        raise PartError(f"{part}: its gradient by {of} is not finite")
    if not gradient.any():
        raise PartError(
            f"{part}: its gradient by {of} is zero everywhere, so nothing can be learnt; compute with keras.ops"
        )


def _truth(task: Task, space: tuple[int, ...]) -> np.ndarray:
    """(2, *space, t) uint8: every class, in thin stripes of other places in each case, and some ignored pixels."""
    truth = np.zeros((CASES, *space, task.truth_channels), np.uint8)
    values = task.outputs if task.kind == "exclusive" else 2
    for case in range(CASES):
        stripes = (np.arange(space[-1]) // STRIPE + case) % values
        truth[case] = stripes[:, None]
    if task.ignore is not None:
        truth[:, 0] = task.ignore
    return truth


def _right(truth: np.ndarray, task: Task) -> np.ndarray:
    """Logits (2, *space, k) of a prediction without fault."""
    hit = truth == np.arange(task.outputs) if task.kind == "exclusive" else truth == 1
    return np.where(hit, RIGHT, -RIGHT).astype(np.float32)


def _eager(network: Any) -> Forward:
    def forward(images: np.ndarray) -> np.ndarray:
        made = network(keras.ops.convert_to_tensor(images), training=False)
        if isinstance(made, dict):
            raise TypeError("gives a dict; a tensor or a list of them is possible, the prediction first")
        return _array(made[0] if isinstance(made, list | tuple) else made)

    return forward


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Errors of the part's own, as errors of the part; those that name their thing pass."""
    try:
        yield
    except UnetbenchError:
        raise
    except (Exception, SystemExit) as error:  # whatever a part raises is told as its fault
        raise PartError(f"{part}: {one_line(error)}") from error


def _array(values: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(values))


def _kind(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__}" + (f" of shape {_shape(shape)}" if shape is not None else "")


def _shape(shape: Any) -> str:
    return "(" + ", ".join("?" if edge is None else str(edge) for edge in shape) + ")"


def _numbers(values: Any) -> str:
    return ", ".join(f"{float(value):.4g}" for value in values)
