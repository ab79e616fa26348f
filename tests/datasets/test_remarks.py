"""What `data check` says is worth a look, and which images it names for it."""

import numpy as np

from unetbench.core.task import Task
from unetbench.datasets.audit import audit
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.case_numbers import outliers

ONE = Task(2, 1, ("cell",))


def _noise(seed, space=(40, 40), scale=1.0):
    return (np.random.default_rng(seed).integers(50, 200, (*space, 1)) * scale).astype(np.uint16)


def _blocks(*blocks, space=(40, 40)):
    truth = np.zeros((*space, 1), np.uint8)
    for y, x, height, width in blocks:
        truth[y : y + height, x : x + width] = 1
    return truth


def _remarks(samples, task=ONE, roles=None, groups=None):
    names = [f"c{k:02}" for k in range(len(samples))]
    cases = tuple(
        Case(name, (groups or names)[k], lambda sample=sample: sample)
        for k, (name, sample) in enumerate(zip(names, samples, strict=True))
    )
    found = audit(Dataset("made", task, cases, "", ""), roles=roles and dict(zip(names, roles, strict=True)))
    return {remark.kind: remark for remark in found.remarks}, found.findings


def test_tiny_objects_holes_and_cut_objects_are_counted_by_hand_and_their_images_named():
    plain = [Sample(_noise(k), _blocks((4 + k, 4, 10, 10), (24, 22 - k, 10, 10))) for k in range(8)]
    truth = _blocks((5, 5, 10, 10), (30, 30, 1, 2), (0, 20, 9, 9))  # 100, 2 and 81 pixels, the last one cut
    truth[8:10, 8:10] = 0  # and a hole
    found, _ = _remarks([*plain, Sample(_noise(9), truth)])
    assert found["tiny"].line == "1 of 19 objects of cell have at most 3 pixels (median 100), in 1 case: c08"
    assert found["holes"].line == "1 holes in the foreground, in 1 case: c08"
    assert found["cut"].line == "1 of 19 objects cut by the border of the image, in 1 case: c08"


def test_another_class_inside_an_object_is_no_hole_and_rare_classes_are_told():
    task = Task(2, 1, ("background", "cell", "nucleus"), "exclusive")
    truth = _blocks((5, 5, 20, 20))
    truth[14, 14] = 2
    one, two = (_remarks([Sample(_noise(0), t)], task)[0] for t in (truth, _blocks((5, 5, 20, 20))))
    assert "holes" not in one
    assert one["rare"].line == "the class nucleus is rare, 0.062 % of pixels, in 1 of 1 cases: c00"  # 1 / 1600
    assert "rare" not in two


def test_labels_of_objects_that_touch_are_counted_each():
    labels = np.zeros((40, 40), np.int32)
    labels[5:10, 5:10], labels[5:10, 10:15], labels[0:3, 30:33] = 7, 9, 4
    found, _ = _remarks([Sample(_noise(0), (labels > 0).astype(np.uint8)[..., None], labels)])
    assert found["cut"].line == "1 of 3 objects cut by the border of the image, in 1 case: c00"


def test_images_of_unusual_brightness_and_size_are_named_and_usual_ones_are_not():
    samples = [Sample(_noise(k, (40, 40 + k % 2)), _blocks((k, 5, 9, 9), space=(40, 40 + k % 2))) for k in range(20)]
    samples[6] = Sample(_noise(6, scale=20), _blocks((6, 5, 9, 9)))
    samples[11] = Sample(_noise(11, (300, 300)), _blocks((6, 5, 67, 67), space=(300, 300)))
    found, _ = _remarks(samples)
    assert found["unusual_brightness"].cases == ("c06",)
    assert found["unusual_size"].cases == ("c11",)
    assert found["unusual_object_size"].cases == ("c11",)
    assert "unusual_foreground" not in found  # 67² of 300² is the share of 9² in 40², .0499 and .0506


def test_distances_from_the_median_are_those_of_iglewicz_and_hoaglin():
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 30])  # median 5.5, median distance 2.5
    ((place, far),) = outliers(values, [""] * 10, 5, 10)
    assert place == 9
    assert far == 24.5 / (1.4826 * 2.5)
    same = np.array([5.0] * 19 + [9.0])  # median distance 0, mean distance 4 / 20
    ((place, far),) = outliers(same, [""] * 20, 5, 10)
    assert (place, round(far, 9)) == (19, round(4 / (1.2533 * 0.2), 9))
    assert outliers(same, ["a"] * 19 + ["b"], 5, 10) == []  # alone of its kind
    assert outliers(np.full(20, 3.0), [""] * 20, 5, 10) == []


def _scene(seed, shift=0.0):
    import cv2

    noise = np.random.default_rng(seed).normal(size=(64, 64)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 1, cv2.NORM_MINMAX)
    grain = np.random.default_rng(seed + 100).normal(0, 0.02, smooth.shape) if shift else 0
    return ((smooth + grain) * 180 + 20 + shift).clip(0, 255).astype(np.uint8)[..., None]


def test_images_that_look_alike_are_told_across_the_split_and_not_within_a_part():
    truths = [_blocks((5 + k, 5, 9, 9), space=(64, 64)) for k in range(5)]
    images = [_scene(0), _scene(1), _scene(1, 20), _scene(2), _scene(0, 20)]
    samples = [Sample(image, truth) for image, truth in zip(images, truths, strict=True)]
    found, _ = _remarks(samples, roles=["train", "train", "train", "test", "validation"])
    assert (found["look_alike"].count, found["look_alike"].cases) == (1, ("c04 and c00",))
    within, _ = _remarks(samples, roles=["train"] * 5)
    assert "look_alike" not in within
    across, _ = _remarks(samples)
    assert set(across["look_alike"].cases) == {"c02 and c01", "c04 and c00"}
    grouped, _ = _remarks(samples, groups=["a", "b", "b", "c", "a"])
    assert "look_alike" not in grouped


def test_one_mask_for_two_images_is_told_and_a_class_that_no_test_case_holds_is_a_finding():
    task = Task(2, 1, ("background", "cell", "nucleus"), "exclusive")
    first = _blocks((5, 5, 9, 9))
    both = first.copy()
    both[20:30, 20:30] = 2
    samples = [Sample(_noise(0), both), Sample(_noise(1), first), Sample(_noise(2), first)]
    found, findings = _remarks(samples, task, roles=["train", "test", "train"])
    assert found["same_mask"].cases == ("c02 and c01",)
    assert findings[0].startswith("no test case holds the class nucleus, which 1 others do")
    empty = [Sample(_noise(k), np.zeros((40, 40, 1), np.uint8)) for k in range(2)]
    assert "same_mask" not in _remarks(empty)[0]
