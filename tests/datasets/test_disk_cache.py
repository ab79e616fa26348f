"""A case from disk is the case from memory, bit for bit, whatever happened to its file."""

import os
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets import DATASETS
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.digests import FileDigests
from unetbench.datasets.disk_cache import LEFT_BEHIND_S, CaseKeys, CasesOnDisk
from unetbench.datasets.object_labels import ObjectLabels
from unetbench.datasets.prepare import Preprocess, hold
from unetbench.datasets.scaling import ScaledImage
from unetbench.datasets.source import Source

TASK = Task(2, 1, ("cell",), "binary")


def _sample(seed: int, dtype: str = "u1", channels: int = 1, space: tuple[int, ...] = (21, 34)) -> Sample:
    rng = np.random.default_rng(seed)
    instances = np.zeros(space, np.int32)
    instances[..., 2:9, 3:9] = 1
    instances[..., 14:17, 3:9] = 1 + seed % 2  # with an even seed, one label in two pieces
    image = rng.integers(0, 250, (*space, channels)).astype(dtype)
    return Sample(image, (instances > 0).astype(np.uint8)[..., None], instances, tuple(0.1 * k for k in space))


def _cases(count: int = 4) -> list[Case]:
    return [Case(f"c{k}", f"c{k}", partial(_sample, k)) for k in range(count)]


class _Holder:
    """Reads a case as `OpenedDataset.hold` does, and notes which."""

    def __init__(self, task: Task = TASK, preprocess: Preprocess | None = None) -> None:
        self.task, self.preprocess, self.read = task, preprocess or Preprocess(), []

    def __call__(self, case: Case, objects: ObjectLabels):
        self.read.append(case.name)
        sample = case.read()
        objects.add(case.name, sample.instances)
        return hold(case.name, sample, self.task, self.preprocess)


def _kept(folder, cases, holder) -> CasesOnDisk:
    return CasesOnDisk(folder, cases, [f"ab/{case.name}" for case in cases], holder)


def _same(found, expected) -> None:
    assert (found.content, found.original) == (expected.content, expected.original)
    pairs = [(found.truth, expected.truth), (found.image[...], expected.image[...])]
    pairs.append((found.image[3:9, 1:5], expected.image[3:9, 1:5]))
    if isinstance(expected.image, ScaledImage):
        pairs.append((found.image.stored, expected.image.stored))
        assert found.image.scaling.channels == expected.image.scaling.channels
    for one, other in pairs:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("task", "sample", "preprocess"),
    [
        (TASK, {}, {}),
        (TASK, {"dtype": ">u2"}, {"normalise": "zscore"}),
        (TASK, {"dtype": "f4"}, {"normalise": "minmax", "pad": 16}),
        (TASK, {"dtype": "i4"}, {"normalise": "none"}),
        (TASK, {}, {"colour": "rgb"}),
        (TASK, {}, {"resize": (16, 16)}),
        (Task(2, 3, ("cell",), "binary"), {"channels": 3}, {"clahe": 2.0}),
        (Task(3, 1, ("cell",), "binary"), {"space": (3, 21, 34)}, {}),
    ],
    ids=["grey", "big-endian", "float", "as stored", "repeated", "resized", "equalised", "volume"],
)
def test_what_comes_from_disk_is_what_memory_holds(tmp_path, task, sample, preprocess):
    cases, holder = [Case("a", "a", partial(_sample, 1, **sample))], _Holder(task, Preprocess(**preprocess))
    expected = holder(cases[0], ObjectLabels())
    for _ in range(2):  # written, then found
        kept = _kept(tmp_path, cases, holder)
        _same(kept[0], expected)
    assert holder.read == ["a", "a"]
    assert not kept[0].truth.flags.writeable


def test_a_second_process_reads_no_case_and_counts_the_same_labels(tmp_path):
    cases, holder, expected = _cases(), _Holder(), ObjectLabels()
    for case in cases:
        expected.add(case.name, case.read().instances)
    first, second = (_kept(tmp_path, cases, holder) for _ in range(2))
    assert holder.read == ["c0", "c1", "c2", "c3"]
    assert first.objects == second.objects == expected
    assert expected.first_split == "c0, where label 1 lies in 2"
    assert [case.content for case in second[1:3]] == [(21, 34)] * 2
    assert len(second) == 4


@pytest.mark.parametrize("damage", ["cut short", "empty", "not ours", "head", "image", "truth"])
def test_a_damaged_file_is_written_anew(tmp_path, damage):
    cases, holder = _cases(2), _Holder()
    _kept(tmp_path, cases, holder)
    file = tmp_path / "ab" / "c1"
    content = bytearray(file.read_bytes())
    place = {"head": 40, "image": 21 * 34 // -1 - 300, "truth": -1}.get(damage)
    if place is not None:
        content[place] ^= 1
    file.write_bytes({"cut short": content[:-7], "empty": b"", "not ours": b"PNG" * 99}.get(damage, content))
    kept = _kept(tmp_path, cases, holder)
    assert holder.read == ["c0", "c1", "c1"]
    _same(kept[1], holder(cases[1], ObjectLabels()))


@pytest.mark.parametrize("damage", ["removed", "cut short"])
def test_a_file_that_is_lost_during_training_is_written_anew(tmp_path, damage):
    cases, holder = _cases(2), _Holder()
    kept = _kept(tmp_path, cases, holder)
    file = tmp_path / "ab" / "c1"
    file.unlink() if damage == "removed" else file.write_bytes(file.read_bytes()[:-5])
    _same(kept[1], holder(cases[1], ObjectLabels()))
    assert holder.read == ["c0", "c1", "c1", "c1"]


def test_a_killed_writer_loses_the_case_at_hand_only(tmp_path):
    cases, holder = _cases(), _Holder()
    pid = os.fork()
    if pid == 0:

        def until_killed(case, objects):
            if case.name == "c2":
                os.kill(os.getpid(), signal.SIGKILL)
            return holder(case, objects)

        _kept(tmp_path, cases, until_killed)
    os.waitpid(pid, 0)
    left = [tmp_path / "aside" / name for name in ("old", "new")]
    for file in left:
        file.touch()
    os.utime(left[0], (0, time.time() - LEFT_BEHIND_S - 60))
    _kept(tmp_path, cases, holder)
    assert holder.read == ["c2", "c3"]
    assert [file.exists() for file in left] == [False, True]


def test_several_write_the_same_cases_at_once(tmp_path):
    cases = _cases(12)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: _kept(tmp_path, cases, _Holder()), range(4)))
    expected = [_Holder()(case, ObjectLabels()) for case in cases]
    for kept in found:
        for one, other in zip(kept, expected, strict=True):
            _same(one, other)
    assert not list((tmp_path / "aside").iterdir())


def test_a_write_that_fails_names_the_folder_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(DataError, match=r"^cache: \S+ cannot be written \(File too large\); .*`cache: memory`$"):
            _kept(tmp_path, _cases(), _Holder())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_case_that_cannot_be_used_is_named(tmp_path):
    cases = [*_cases(1), Case("wide", "wide", partial(_sample, 1, channels=2))]
    with pytest.raises(DataError, match="wide: the image has 2 channels"):
        _kept(tmp_path, cases, _Holder())


def _folder(home, **options) -> Dataset:
    options = {"images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"]} | options
    return DATASETS["folder"](Source(None, home, False), path=str(home), **options)


def _names(dataset: Dataset, options: dict | None = None, source: str = "") -> tuple[str, list[str]]:
    keys = CaseKeys(dataset, options or {}, source)
    return keys.folder, keys.of(dataset.cases, FileDigests())


def _image(file, value: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.full((4, 4), value, np.uint8))


def test_a_name_follows_all_that_the_content_depends_on(tmp_path):
    for name in ("a", "b"):
        _image(tmp_path / "img" / f"{name}.png", 7)
        _image(tmp_path / "lab" / f"{name}.png", 255)
    dataset = _folder(tmp_path)
    folder, (first, second) = _names(dataset)
    assert first != second  # the same pixels, another case
    assert _names(_folder(tmp_path)) == (folder, [first, second])
    others = (
        _names(dataset, {"preprocess": {"pad": 8}}),
        _names(dataset, source="0123"),
        _names(replace(dataset, task=replace(dataset.task, classes=("nucleus",)))),
    )
    assert len({folder, *(other for other, _ in others)}) == 4
    assert _names(_folder(tmp_path, ignore=9))[1] != [first, second]
    _image(tmp_path / "img" / "a.png", 8)
    assert [name == old for name, old in zip(_names(dataset)[1], (first, second), strict=True)] == [False, True]


def test_a_mask_that_changes_its_class_makes_another_case(tmp_path):
    _image(tmp_path / "img" / "a.png", 7)
    _image(tmp_path / "img" / "b.png", 7)
    for name in ("nuc", "cell"):
        _image(tmp_path / name / "b.png", 255)
    _image(tmp_path / "nuc" / "a.png", 255)
    options = {"masks": {"nuc": "nuc/*.png", "cell": "cell/*.png"}, "classes": None, "missing": "empty"}
    before = _names(_folder(tmp_path, **options))[1]
    (tmp_path / "nuc" / "a.png").rename(tmp_path / "cell" / "a.png")
    after = _names(_folder(tmp_path, **options))[1]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]
