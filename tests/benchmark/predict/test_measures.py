"""Measures of classes and objects, beside those of scikit-image."""

import numpy as np
import pytest
from skimage.measure import regionprops_table

from unetbench.benchmark.predict import object_sums
from unetbench.benchmark.predict.measures import class_rows, object_rows, objects_of
from unetbench.benchmark.predict.object_sums import ObjectSums
from unetbench.core.task import Task

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("space", [(70, 90), (20, 30, 25)])
@pytest.mark.parametrize("channels", [1, 3])
def test_objects_are_measured_as_scikit_image_does(space, channels, monkeypatch):
    monkeypatch.setattr(object_sums, "_PIXELS", 500)  # so that sums are made in several parts
    task = Task(len(space), channels, ("a",))
    image = RNG.integers(0, 4000, (*space, channels)).astype(np.uint16)
    labels = (RNG.random((*space, 1)) > 0.8).astype(np.uint8)
    objects = objects_of(labels, None, task, "components")
    rows = object_rows(image, objects, task, (0.5,) * len(space))
    names = ("label", "num_pixels", "centroid", "bbox", "intensity_mean")
    expected = regionprops_table(objects["a"][0], image, properties=names)
    rank = len(space)
    columns = {"object": "label", "pixels": "num_pixels"}
    columns |= {f"centroid_{k}": f"centroid-{k}" for k in range(rank)}
    columns |= {f"begin_{k}": f"bbox-{k}" for k in range(rank)} | {f"end_{k}": f"bbox-{k + rank}" for k in range(rank)}
    columns |= {
        "mean_intensity" if channels == 1 else f"mean_intensity_{k}": f"intensity_mean-{k}" for k in range(channels)
    }
    assert len(rows) == len(expected["label"]) > 20
    for own, theirs in columns.items():
        tolerance = {"rtol": 1e-5, "atol": 5.1e-4 if own.startswith("centroid") else 0}  # rounded
        np.testing.assert_allclose([row[own] for row in rows], expected[theirs], **tolerance)
    size = "area_mm2" if rank == 2 else "volume_mm3"
    np.testing.assert_allclose([row[size] for row in rows], expected["num_pixels"] * 0.5**rank, rtol=1e-5)


def test_classes_are_counted_and_numbers_of_objects_go_on_from_class_to_class():
    task = Task(2, 1, ("none", "a", "b"), "exclusive")
    labels = np.array([[1, 1, 0, 2], [0, 0, 0, 0], [1, 0, 2, 2]], np.uint8)[..., None]
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    objects = objects_of(labels, None, task, "components")
    assert objects["a"][0].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]]
    assert objects["b"][0].tolist() == [[0, 0, 0, 3], [0, 0, 0, 0], [0, 0, 4, 4]]
    a, b = class_rows(image, labels, objects, task, (2.0, 3.0))
    assert (a["pixels"], a["share"], a["area_mm2"], a["objects"]) == (3, 0.25, 18, 2)
    assert a["mean_intensity"] == 3.0  # of 0, 1 and 8
    assert (b["pixels"], b["mean_intensity"]) == (3, 8)  # of 3, 10 and 11
    rows = object_rows(image, objects, task, None)
    assert [(row["class"], row["object"], row["pixels"], row["area_mm2"]) for row in rows] == [
        ("a", 1, 2, None), ("a", 2, 1, None), ("b", 3, 1, None), ("b", 4, 2, None),
    ]  # fmt: skip
    assert [row["mean_intensity"] for row in rows] == [0.5, 8, 3, 10.5]


def test_a_class_that_is_nowhere_has_no_intensity():
    task = Task(2, 2, ("a",))
    labels, image = np.zeros((3, 4, 1), np.uint8), np.ones((3, 4, 2))
    objects = objects_of(labels, None, task, "components")
    (row,) = class_rows(image, labels, objects, task, None)
    assert (row["pixels"], row["objects"], row["mean_intensity_0"]) == (0, 0, None)
    assert object_rows(image, objects, task, None) == []


def test_touching_objects_are_parted_by_the_watershed_of_the_sweep():
    probability = np.full((40, 60, 1), 0.1, np.float32)
    probability[10:30, 5:55], probability[10:30, 5:20], probability[10:30, 40:55] = 0.6, 0.98, 0.98
    labels = (probability > 0.5).astype(np.uint8)
    task = Task(2, 1, ("a",))
    assert [objects_of(labels, probability, task, split)["a"][1] for split in ("components", "watershed")] == [1, 2]


def test_sums_of_parts_are_joined():
    numbers = np.array([[1, 1, 2], [0, 3, 3]])
    image = np.array([[1.0, 2, 3], [4, 5, 6]])[..., None]
    upper = ObjectSums.of(numbers[:1], image[:1], 2)
    lower = ObjectSums.of(np.where(numbers[1:] > 0, 1, 0), image[1:], 1, (1, 0))
    joined = ObjectSums.joined([upper, lower], np.array([0, 1, 1]), 2)
    assert list(joined.rows()) == [
        {"pixels": 2, "centroid": [0.0, 0.5], "begin": [0, 0], "end": [1, 2], "means": [1.5]},
        {"pixels": 3, "centroid": [2 / 3, 5 / 3], "begin": [0, 1], "end": [2, 3], "means": [14 / 3]},
    ]
