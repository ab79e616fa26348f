"""How far a conversion may be from float64, and what is counted on whole cases."""

import math

import numpy as np
import pytest

from unetbench.benchmark.deploy.agreement import counts, difference, gate
from unetbench.core.task import Task

BINARY = Task(2, 1, ("object",))


def test_the_gate_is_a_ten_thousandth_for_a_network_without_normalisation():
    assert gate(1, 0.0) == 1e-4


def test_the_gate_grows_with_the_pixels_that_a_mean_is_taken_over():
    # 512 × 512 pixels of 4 channels are 2^20 values, four times 2^18.
    assert gate(2**20, 0.0) == pytest.approx(4e-4)


def test_the_gate_is_four_times_what_keras_errs_where_that_is_more():
    assert gate(2**20, 1e-3) == pytest.approx(4e-3)


def test_a_difference_is_of_probabilities():
    # sigmoid(0) = 1/2 and sigmoid(ln 3) = 3/4
    logits = np.array([0.0, 1.0]).reshape(1, 1, 2, 1)
    other = np.array([math.log(3), 1.0]).reshape(1, 1, 2, 1)
    assert difference(logits, other, BINARY) == pytest.approx(0.25)


def test_a_difference_of_exclusive_classes_is_of_the_softmax():
    # softmax(0, 0) = 1/2, 1/2 and softmax(0, ln 4) = 1/5, 4/5
    task = Task(2, 1, ("background", "object"), "exclusive")
    logits, other = np.zeros((1, 1, 1, 2)), np.array([0.0, math.log(4)]).reshape(1, 1, 1, 2)
    assert difference(logits, other, task) == pytest.approx(0.3)


def test_what_is_not_finite_differs_without_bound():
    logits = np.array([np.nan, 1.0]).reshape(1, 1, 2, 1)
    assert difference(logits, np.zeros_like(logits), BINARY) == math.inf


def test_counts_of_a_binary_case():
    truth = np.array([[1, 1, 0, 0]], np.uint8)[..., None]
    labels = np.array([[1, 0, 1, 0]], np.uint8)[..., None]
    assert counts(truth, labels, BINARY) == [{"class": "object", "tp": 1, "fp": 1, "fn": 1, "tn": 1}]


def test_ignored_pixels_are_not_counted():
    task = Task(2, 1, ("object",), ignore=255)
    truth = np.array([[1, 255, 0]], np.uint8)[..., None]
    labels = np.array([[1, 1, 1]], np.uint8)[..., None]
    assert counts(truth, labels, task) == [{"class": "object", "tp": 1, "fp": 1, "fn": 0, "tn": 0}]


def test_exclusive_classes_are_counted_one_by_one_without_the_background():
    task = Task(2, 1, ("background", "a", "b"), "exclusive")
    truth = np.array([[0, 1, 2, 2]], np.uint8)[..., None]
    labels = np.array([[0, 2, 2, 1]], np.uint8)[..., None]
    assert counts(truth, labels, task) == [
        {"class": "a", "tp": 0, "fp": 1, "fn": 1, "tn": 2},
        {"class": "b", "tp": 1, "fp": 1, "fn": 1, "tn": 1},
    ]


def test_planes_of_a_multilabel_task_are_counted_one_by_one():
    task = Task(2, 1, ("a", "b"), "multilabel")
    truth = np.array([[[1, 0], [1, 1]]], np.uint8)
    labels = np.array([[[1, 1], [0, 1]]], np.uint8)
    assert counts(truth, labels, task) == [
        {"class": "a", "tp": 1, "fp": 0, "fn": 1, "tn": 0},
        {"class": "b", "tp": 1, "fp": 1, "fn": 0, "tn": 0},
    ]
