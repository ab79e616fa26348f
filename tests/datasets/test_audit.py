"""What is said of a data set after every case was read once."""

import threading
import weakref

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets import audit as auditing
from unetbench.datasets.audit import audit
from unetbench.datasets.case import Case, Dataset, Sample

TWO = Task(2, 1, ("background", "cell", "debris"), "exclusive", ignore=255)


def _dataset(samples, task=TWO, groups=None, strata=None) -> Dataset:
    names = [f"c{number:02}" for number in range(len(samples))]
    cases = tuple(
        Case(name, (groups or names)[k], lambda sample=sample: sample, (strata or [""] * len(names))[k])
        for k, (name, sample) in enumerate(zip(names, samples, strict=True))
    )
    return Dataset("made", task, cases, "CC0", "", notes=("1 file skipped: x",))


def _noise(seed, space=(16, 20), dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 200, (*space, 1)).astype(dtype)


def test_what_was_understood_is_counted_by_hand():
    truth = np.zeros((16, 20, 1), np.uint8)
    truth[:4, :5] = 1  # 20 of 320 pixels
    truth[8:10, :] = 255  # 40 ignored
    second = np.zeros((32, 20, 1), np.uint8)
    second[0, :10] = 2  # 10 of 640
    objects = np.zeros((16, 20), np.int32)
    objects[:4, :2], objects[:4, 2:5] = 70_000, 3  # 8 and 12 pixels
    image = _noise(0)
    image[0, 0], image[0, 1] = 0, 250
    samples = [
        Sample(image, truth, objects, (0.5, 0.25), "TIFF tag", "LPS", ("palette",)),
        Sample(_noise(1, (32, 20), np.uint16), second, np.zeros((32, 20), np.int32), None, "", "LPS", ("palette",)),
    ]
    dataset = _dataset(samples, groups=["g", "g"], strata=["stained", ""])
    found = audit(dataset)
    told = found.summary.described(dataset)
    assert told["read"] == 2
    assert told["task"] == {"rank": 2, "kind": "exclusive", "classes": ["background", "cell", "debris"]}
    assert told["sizes"] == {
        "distinct": 2,
        "smallest": [16, 20],
        "largest": [32, 20],
        "listed": [{"space": [16, 20], "cases": 1}, {"space": [32, 20], "cases": 1}],
    }
    assert told["dtypes"] == {"uint8": 1, "uint16": 1}
    assert told["channels"] == {"1": 2}
    assert (told["values"][0]["min"], told["values"][0]["max"]) == (0, 250)
    shares = {entry["name"]: (entry["share"], entry["cases"]) for entry in told["classes"]}
    assert shares == {
        "background": (pytest.approx(890 / 920), 2),
        "cell": (20 / 920, 1),
        "debris": (10 / 920, 1),
    }
    assert told["ignored_share"] == pytest.approx(40 / 960)
    assert told["objects"] == {
        "count": 2,
        "a_case": {"min": 0, "median": 0, "max": 2},
        "pixels": {"min": 8, "median": 8, "max": 12},
    }
    assert told["spacings_mm"] == [
        {"spacing_mm": [0.5, 0.25], "source": "TIFF tag", "cases": 1},
        {"spacing_mm": None, "source": "", "cases": 1},
    ]
    assert told["orientations"] == {"LPS": 2}
    assert told["groups"] == {"count": 1, "largest": "g", "cases": 2}
    assert told["strata"] == {"stained": 1}
    assert told["notes"] == [{"note": "palette", "cases": 2, "first": "c00"}]
    assert told["listing"] == ["1 file skipped: x"]
    assert found.findings == []


def test_classes_that_overlap_have_shares_of_their_own():
    truth = np.zeros((10, 10, 2), np.uint8)
    truth[:5, :, 0], truth[:, :2, 1] = 1, 1
    dataset = _dataset([Sample(_noise(0, (10, 10)), truth)], Task(2, 1, ("a", "b"), "multilabel"))
    told = audit(dataset).summary.described(dataset)
    assert [(entry["name"], entry["share"]) for entry in told["classes"]] == [("a", 0.5), ("b", 0.2)]
    assert told["objects"] is None


def test_findings_come_in_the_order_of_the_cases_whichever_is_read_first(monkeypatch):
    monkeypatch.setattr(auditing, "THREADS", 2)
    gate = threading.Event()

    def late():
        gate.wait(10)
        return Sample(np.zeros((8, 8, 1), np.uint8), np.eye(8, dtype=np.uint8)[..., None])

    def early():
        gate.set()
        raise DataError("c1: broken")

    cases = (Case("c0", "c0", late), Case("c1", "c1", early), *(Case(f"d{k}", f"d{k}", late) for k in range(30)))
    seen = []
    found = audit(Dataset("made", Task(2, 1, ("cell",)), cases, "", ""), progress=lambda: seen.append(None))
    assert found.findings[:3] == ["c0: the image is constant", "c1: broken", "d0: the image is constant"]
    assert len(seen) == 32
    assert found.summary.cases == 31


def test_a_data_set_of_which_nothing_can_be_read_is_described_as_far_as_it_is_known():
    def broken():
        raise DataError("c0: broken")

    dataset = Dataset("made", TWO, (Case("c0", "c0", broken),), "", "")
    found = audit(dataset, pictures=True)
    assert found.findings == ["c0: broken", "no case holds the class cell", "no case holds the class debris"]
    assert found.thumbnails == []
    told = found.summary.described(dataset)
    assert told["read"] == 0
    assert told["classes"] == []
    assert told["sizes"]["listed"] == []


def test_the_same_image_in_two_groups_and_missing_classes_are_found():
    truth = np.zeros((16, 20, 1), np.uint8)
    truth[3:9, 3:9] = 1
    dataset = _dataset([Sample(_noise(0), truth), Sample(_noise(1), truth), Sample(_noise(0), truth)])
    findings = audit(dataset).findings
    assert findings == [
        "c02: has the same image as c00, which is in another group",
        "no case holds the class debris",
    ]


def test_masks_that_are_all_upside_down_get_one_line():
    rng, samples = np.random.default_rng(0), []
    for _ in range(6):
        truth = np.zeros((64, 64, 1), np.uint8)
        for y, x in rng.integers(0, 54, (6, 2)):
            truth[y : y + 10, x : x + 7] = 1
        image = (truth * 120 + rng.integers(0, 60, truth.shape)).astype(np.uint8)
        samples.append(Sample(image, np.ascontiguousarray(truth[::-1])))
    (line,) = audit(_dataset(samples, Task(2, 1, ("cell",)))).findings
    assert line.startswith("6 of 6 masks fit better after a flip top to bottom (c00, c01, c02, c03, c04 and 1 more)")


def test_no_more_cases_are_held_than_are_read_at_once(monkeypatch):
    monkeypatch.setattr(auditing, "THREADS", 2)
    alive, most = set(), [0]

    def read():
        image = np.tile(np.arange(32, dtype=np.uint8)[:, None, None], (1, 32, 1))
        alive.add(id(image))
        weakref.finalize(image, alive.discard, id(image))
        most[0] = max(most[0], len(alive))
        return Sample(image, (image > 9).astype(np.uint8))

    cases = tuple(Case(f"c{k:03}", "one", read) for k in range(60))
    audit(Dataset("made", Task(2, 1, ("cell",)), cases, "", ""))
    assert 1 <= most[0] <= 3
