"""Every registered loss, for every kind of task, in 2D and 3D."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core.task import Task
from unetbench.losses import LOSSES

IGNORE = 255
TASKS = {
    "binary": ("binary", ("cell",)),
    "exclusive": ("exclusive", ("background", "nucleus", "cytoplasm")),
    "multilabel": ("multilabel", ("membrane", "nucleus")),
}

KINKED = {"topk", "dice_topk", "lovasz_hinge", "lovasz_softmax", "cldice", "dice_cldice", "boxinst", "localisation"}
"""Sorted or pooled: smooth but for kinks where two pixels change places."""
FREE = {"label_smoothing", "box_prior"}  # the least is the entropy of the softened truth, and what a barrier costs
SMOOTH = {
    "hausdorff": {"one_sided": True},
    "dice_hausdorff": {"one_sided": True},
    "localisation": {"split": 0.0, "false": 0.0},
}
"""Options without the step that a prediction's own boundary makes where a probability passes 1/2."""
CUT = {"box_prior", "boxinst"}
"""A box that the border of a patch cuts tells less than a whole one."""
EXACT = 1e-6, 1e-5
ROUNDING = {"ssim": (1e-4, 1e-5), "exponential_logarithmic": (1e-6, 1e-2), "unified_focal": (1e-6, 1e-4)}
"""How far below 0 a loss may be, and from 0 for a certain right answer, where a softmax gives 1 - 6e-8, as without
AVX-512: SSIM divides small variances, and a power below 1 is steep at 0 (Dice of 1 - 1e-8 costs 0.004)."""

pytestmark = [
    pytest.mark.parametrize(("rank", "kind"), [*((2, kind) for kind in TASKS), (3, "exclusive")]),
    pytest.mark.parametrize("name", LOSSES),
]


def _task(kind: str, rank: int, ignore: int | None = None) -> Task:
    kind_of, classes = TASKS[kind]
    return Task(rank, 1, classes, kind_of, ignore=ignore)


def _case(task: Task, cases: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    space = (cases, *(6, 5, 4)[: task.rank])
    top = task.outputs if task.kind == "exclusive" else 2
    truth = rng.integers(0, top, (*space, task.truth_channels)).astype("uint8")
    return truth, rng.normal(size=(*space, task.outputs)).astype("float32")


def _value(name: str, truth, logits, task: Task, **options) -> np.ndarray:
    return keras.ops.convert_to_numpy(LOSSES[name](truth, logits, task, **options))


def _gradient(name: str, truth, logits, task: Task, **options) -> np.ndarray:
    return _value_and_gradient(name, truth, logits, task, **options)[1]


def _value_and_gradient(name: str, truth, logits, task: Task, **options) -> tuple[np.ndarray, np.ndarray]:
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = LOSSES[name](truth, logits, task, **options)
        total = tf.reduce_sum(value)
    return value.numpy(), tape.gradient(total, logits).numpy()


def _right(truth: np.ndarray, task: Task, by: float) -> np.ndarray:
    """Logits that favour the truth by so much."""
    planes = truth == np.arange(task.outputs) if task.kind == "exclusive" else truth == 1
    return np.where(planes, by, -by).astype("float32")


def test_one_finite_float32_value_a_case(name, kind, rank):
    task = _task(kind, rank)
    value = _value(name, *_case(task), task)
    assert value.shape == (3,)
    assert value.dtype == "float32"
    assert np.isfinite(value).all()


def test_a_case_costs_the_same_whatever_else_is_in_the_batch(name, kind, rank):
    task = _task(kind, rank)
    truth, logits = _case(task)
    alone = [_value(name, truth[k : k + 1], logits[k : k + 1], task)[0] for k in range(3)]
    np.testing.assert_allclose(_value(name, truth, logits, task), alone, rtol=1e-6)


def test_ignored_pixels_have_no_effect_and_no_gradient(name, kind, rank):
    task = _task(kind, rank, IGNORE)
    truth, logits = _case(task)
    truth[:, 0] = IGNORE
    other = logits.copy()
    other[:, 0] += 10
    np.testing.assert_array_equal(_value(name, truth, logits, task), _value(name, truth, other, task))
    gradient = _gradient(name, truth, logits, task)
    assert not gradient[:, 0].any()
    assert gradient[:, 1:].any()
    if name in CUT:
        return
    # The rest costs what it costs without the ignored rows.
    rest = _value(name, truth[:, 1:], logits[:, 1:], _task(kind, rank))
    np.testing.assert_allclose(_value(name, truth, logits, task), rest, rtol=2e-6)


def test_a_case_all_ignored_costs_nothing(name, kind, rank):
    task = _task(kind, rank, IGNORE)
    truth, logits = _case(task)
    truth[:] = IGNORE
    np.testing.assert_array_equal(_value(name, truth, logits, task), np.zeros(3))
    assert not _gradient(name, truth, logits, task).any()


def test_putting_a_wrong_pixel_right_lowers_the_cost(name, kind, rank):
    task = _task(kind, rank)
    truth, _ = _case(task)
    right = _right(truth, task, 6)
    pixel = np.argwhere(truth[0, ..., 0] == 1)[0]
    wrong = right.copy()
    wrong[(0, *pixel)] *= -1
    before, after = (_value(name, truth, logits, task) for logits in (wrong, right))
    assert after[0] < before[0]
    np.testing.assert_array_equal(after[1:], before[1:])


@pytest.fixture
def extremes(kind, rank) -> list[tuple[np.ndarray, np.ndarray]]:
    task = _task(kind, rank)
    truth, logits = _case(task)
    full = 2 if kind == "exclusive" else 1
    truths = [truth, np.zeros_like(truth), np.full_like(truth, full)]
    return [(t, x) for t in truths for x in (logits, _right(t, task, 50), _right(t, task, -50))]


def test_value_and_gradient_are_finite_on_empty_and_full_truth_at_any_confidence(name, kind, rank, extremes):
    task = _task(kind, rank)
    for truth, logits in extremes:
        value, gradient = _value_and_gradient(name, truth, logits, task)
        assert np.isfinite(value).all()
        assert (value > -ROUNDING.get(name, EXACT)[0]).all()
        assert np.isfinite(gradient).all()


def test_a_certain_right_answer_costs_nothing_and_a_wrong_one_much(name, kind, rank):
    task = _task(kind, rank)
    truth, _ = _case(task)
    if name not in FREE:
        np.testing.assert_allclose(
            _value(name, truth, _right(truth, task, 50), task), 0, atol=ROUNDING.get(name, EXACT)[1]
        )
    assert (_value(name, truth, _right(truth, task, -50), task) > 0.2).all()


def test_low_precision_logits_are_computed_in_float32(name, kind, rank):
    task = _task(kind, rank)
    truth, logits = _case(task)
    for dtype in ("bfloat16", "float16"):
        rounded = keras.ops.cast(logits, dtype)
        exact = _value(name, truth, keras.ops.convert_to_numpy(keras.ops.cast(rounded, "float32")), task)
        value = LOSSES[name](truth, rounded, task)
        assert value.dtype == "float32"
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(value), exact)


def test_the_gradient_is_that_of_finite_differences(name, kind, rank):
    task = _task(kind, rank)
    truth, logits = _case(task)
    options = SMOOTH.get(name, {})
    gradient = _gradient(name, truth, logits, task, **options)
    direction = np.random.default_rng(1).normal(size=logits.shape).astype("float32")
    step = 1e-2
    ahead, behind = (_value(name, truth, logits + s * step * direction, task, **options).sum() for s in (1, -1))
    expected = (ahead - behind) / (2 * step)
    kinks = 0.05 * float(np.abs(gradient * direction).sum()) if name in KINKED else 0
    assert np.sum(gradient * direction) == pytest.approx(expected, rel=2e-3, abs=1e-4 + kinks)


def test_the_type_of_the_truth_does_not_matter(name, kind, rank):
    task = _task(kind, rank)
    truth, logits = _case(task)
    values = [_value(name, truth.astype(dtype), logits, task) for dtype in ("uint8", "int32", "int64", "float32")]
    for value in values[1:]:
        np.testing.assert_array_equal(value, values[0])
