"""What a student learns from a teacher, against arithmetic by hand and SciPy's relative entropy."""

import keras
import numpy as np
import pytest
from scipy.special import expit, rel_entr, softmax

from unetbench.core.task import Task
from unetbench.losses.distillation import distillation

BINARY = Task(2, 1, ("cell",))
EXCLUSIVE = Task(2, 1, ("background", "a", "b"), "exclusive")


def _at(values, *, channels=1):
    return np.array(values, "float32").reshape(1, 1, -1, channels)


def test_of_two_pixels_the_mean_of_the_bernoulli_divergences_times_the_temperature_squared():
    # T = 2; teacher logits 2 ln 3 and 0: p = 3/4, 1/2; student 0 and 0: q = 1/2.
    # KL = 3/4 ln(3/2) + 1/4 ln(1/2) = 0.130812, and 0; T² times the mean 0.065406 is 0.261624
    teacher = _at([2 * np.log(3), 0.0])
    value = distillation(_at([0, 1]), _at([0.0, 0.0]), teacher, BINARY, 2.0)
    assert np.array(value) == pytest.approx([0.261624], abs=1e-5)


def test_exclusive_classes_are_one_distribution():
    # T = 1; teacher softmax (1/2, 1/4, 1/4), student uniform: KL = 1/2 ln(3/2) + 2 · 1/4 ln(3/4) = 0.058892
    teacher = np.log(_at([2.0, 1.0, 1.0], channels=3))
    value = distillation(_at([1]), _at([0.0, 0.0, 0.0], channels=3), teacher, EXCLUSIVE, 1.0)
    assert np.array(value) == pytest.approx([0.058892], abs=1e-5)


def test_ignored_pixels_do_not_count_and_a_case_of_nothing_else_costs_nothing():
    task = Task(2, 1, ("cell",), ignore=255)
    teacher, logits = _at([2 * np.log(3), 5.0]), _at([0.0, -5.0])
    value = distillation(_at([0, 255]), logits, teacher, task, 2.0)
    assert np.array(value) == pytest.approx([4 * 0.130812], abs=1e-5)
    assert np.array(distillation(_at([255, 255]), logits, teacher, task, 2.0)) == pytest.approx([0.0])


@pytest.mark.parametrize("kind", ["binary", "exclusive", "multilabel"])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_agrees_with_scipys_relative_entropy(kind, temperature):
    task = Task(2, 1, ("a",) if kind == "binary" else ("a", "b", "c"), kind)
    rng = np.random.default_rng(0)
    logits, teacher = (rng.normal(0, 3, (2, 4, 5, task.outputs)).astype("float32") for _ in range(2))
    truth = np.zeros((2, 4, 5, task.truth_channels), "float32")
    given, own = (values.astype("float64") / temperature for values in (teacher, logits))
    if kind == "exclusive":
        pairs = softmax(given, -1), softmax(own, -1)
    else:
        pairs = [np.stack([expit(values), expit(-values)], -1) for values in (given, own)]
    expected = temperature**2 * rel_entr(*pairs).sum(-1).reshape(2, -1).mean(1)
    np.testing.assert_allclose(np.array(distillation(truth, logits, teacher, task, temperature)), expected, rtol=1e-5)


def test_the_teacher_gets_no_gradient_and_the_student_none_where_they_agree():
    import tensorflow as tf

    logits, teacher = tf.constant(_at([1.0, -2.0])), tf.constant(_at([1.0, 3.0]))
    with tf.GradientTape() as tape:
        tape.watch([logits, teacher])
        value = keras.ops.sum(distillation(_at([0, 0]), logits, teacher, BINARY, 2.0))
    of_student, of_teacher = tape.gradient(value, [logits, teacher])
    assert of_teacher is None
    assert np.array(of_student).ravel()[0] == pytest.approx(0.0, abs=1e-7)
    assert np.array(of_student).ravel()[1] < 0
