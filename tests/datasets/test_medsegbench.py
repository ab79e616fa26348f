import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.audit import audit
from unetbench.datasets.source import Source

RNG = np.random.default_rng(0)
COUNTS = {"train": 12, "val": 2, "test": 3}


def _list(home, **options):
    return DATASETS["medsegbench"](Source(home, home / "cache", download=False), **options)


def _save(home, name="kvasir_256.npz", *, shape=(8, 9, 3), top=2, ends=("",), **others):
    """An NPZ as the publisher writes it: `np.savez_compressed`, arrays by part."""
    arrays = {}
    for part, count in COUNTS.items():
        for end in ends:
            arrays[f"{part}_images{end}"] = RNG.integers(0, 256, (count, *shape), np.uint8)
            arrays[f"{part}_label{end}"] = RNG.integers(0, top, (count, *shape[:2]), np.uint8)
    (home / "medsegbench").mkdir(exist_ok=True)
    np.savez_compressed(home / "medsegbench" / name, **(arrays | others))
    return arrays | others


@pytest.mark.parametrize(("shape", "channels"), [((8, 9, 3), 3), ((8, 9), 1)])
def test_the_published_layout_is_read_with_its_split(tmp_path, shape, channels):
    arrays = _save(tmp_path, shape=shape)
    dataset = _list(tmp_path)
    assert (dataset.name, dataset.task.channels, dataset.task.kind) == ("kvasir_256", channels, "binary")
    assert [case.name for case in dataset.cases[:4]] == ["test/0", "test/1", "test/2", "train/00"]
    roles = list(dataset.official.values())
    assert {role: roles.count(role) for role in roles} == {"train": 12, "validation": 2, "test": 3}
    for case in dataset.cases:
        part, index = case.name.split("/")
        sample = case.read()
        image = arrays[f"{part}_images"][int(index)]
        np.testing.assert_array_equal(sample.image, image.reshape(8, 9, channels))
        np.testing.assert_array_equal(sample.truth[..., 0], arrays[f"{part}_label"][int(index)])
        assert sample.notes == ()
    assert audit(dataset).findings == []


def test_several_classes_exclude_each_other(tmp_path):
    arrays = _save(tmp_path, "wbc_128.npz", top=3, ends=("", "_C1"))
    names = ("background", "cytoplasm", "nucleus")
    for category, end in (("", ""), ("C1", "_C1")):
        dataset = _list(tmp_path, file="wbc_128.npz", classes=names, category=category)
        assert dataset.task.classes == names
        truth = dataset.cases[0].read().truth[..., 0]
        np.testing.assert_array_equal(truth, arrays[f"test_label{end}"][0])
    with pytest.raises(DataError, match=r"wbc_128\.npz: test_label\[0\] holds 2, and there are 2 classes; name all"):
        _list(tmp_path, file="wbc_128.npz", classes=names[:2]).cases[0].read()


def test_labels_of_single_objects_are_foreground_and_noted(tmp_path):
    arrays = _save(tmp_path, top=30)
    sample = _list(tmp_path).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], arrays["test_label"][0] > 0)
    assert sample.notes == ("labels above 1 count as the one class; name them all in `classes` if they are classes",)


def test_the_lesions_of_idrib_share_their_images(tmp_path):
    lesions = {f"{part}_label_C2": np.ones((count, 8, 9), np.uint8) for part, count in COUNTS.items()}
    _save(tmp_path, "idrib_128.npz", **lesions)
    dataset = _list(tmp_path, file="idrib_128.npz", category="C2")
    assert dataset.name == "idrib_128_C2"
    assert dataset.cases[0].read().truth.all()


def test_other_arrays_are_refused(tmp_path):
    _save(tmp_path, val_label=np.zeros((2, 7, 9), np.uint8))
    with pytest.raises(DataError, match=r"val_images is \(2, 8, 9, 3\) and its label \(2, 7, 9\); they need the same"):
        _list(tmp_path)
    np.savez(tmp_path / "medsegbench" / "kvasir_256.npz", images=np.zeros((2, 8, 9)))
    with pytest.raises(DataError, match=r"has no array 'train_label'; it has images"):
        _list(tmp_path)
    with pytest.raises(DataError, match=r"holds no drive_256\.npz; get the data from https://zenodo\.org"):
        _list(tmp_path, file="drive_256.npz")
