"""Labels of logits, and the Dice of two runs of one network."""

import numpy as np
import pytest

from unetbench.runtimes.same_labels import dice_of, labels_of


def test_labels_are_as_the_task_decides():
    logits = np.array([[[0.5, -1.0, 2.0], [3.0, 1.0, -2.0]]])
    np.testing.assert_array_equal(labels_of(logits, "multilabel"), [[[1, 0, 1], [1, 1, 0]]])
    np.testing.assert_array_equal(labels_of(logits, "exclusive"), [[[0, 1], [0, 0]]])
    np.testing.assert_array_equal(labels_of(logits[..., 1:2], "binary"), [[[0], [1]]])


def test_dice_is_a_mean_over_images_and_classes_with_1_where_both_are_empty():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference")
    one, other = np.random.default_rng(0).random((2, 3, 8, 9, 2)) > 0.6
    one[0, ..., 1] = other[0, ..., 1] = False
    one[1, ..., 0] = False
    scores = [
        metrics.f1_score(one[n, ..., k].ravel(), other[n, ..., k].ravel(), zero_division=1)
        for n in range(3)
        for k in range(2)
    ]
    assert dice_of(one, other) == pytest.approx(np.mean(scores))
    assert dice_of(one, one) == 1
