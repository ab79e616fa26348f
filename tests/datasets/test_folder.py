import cv2
import nibabel
import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

RNG = np.random.default_rng(0)


def _list(home, **options):
    options = {"path": str(home), "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


def _write(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    if ".nii" in file.name:
        nibabel.save(nibabel.Nifti1Image(array, np.diag([0.5, 1.0, 2.0, 1.0])), file)
    elif file.suffix == ".tif":
        tifffile.imwrite(file, array)
    else:
        cv2.imwrite(str(file), array)


def _fill(home, names=("a1", "a2", "b1"), mask=None, *, image="img/{}.png", label="lab/{}.png"):
    for name in names:
        _write(home / image.format(name), RNG.integers(0, 256, (8, 9), np.uint8))
        _write(home / label.format(name), np.eye(8, 9, dtype=np.uint8) * 255 if mask is None else mask)


def test_images_and_masks_pair_by_what_the_wildcards_stand_for(tmp_path):
    _fill(tmp_path, image="{}_img.png", label="{}_mask.png")
    dataset = _list(tmp_path, images="*_img.png", masks="*_mask.png")
    assert [case.name for case in dataset.cases] == ["a1", "a2", "b1"]
    sample = dataset.cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], np.eye(8, 9))
    assert dataset.task.kind == "binary"
    assert dataset.name == tmp_path.name


def test_a_folder_for_each_case_and_nested_folders_pair_too(tmp_path):
    _fill(tmp_path, image="{}/image.png", label="{}/mask.png")
    assert [case.name for case in _list(tmp_path, images="*/image.png", masks="*/mask.png").cases] == ["a1", "a2", "b1"]
    _fill(tmp_path / "deep", image="img/x/{}.png", label="lab/x/{}.png")
    names = [case.name for case in _list(tmp_path / "deep", images="img/**/*.png", masks="lab/**/*.png").cases]
    assert names == ["x/a1", "x/a2", "x/b1"]


def test_masks_that_the_image_glob_matches_too_are_masks(tmp_path):
    _fill(tmp_path, image="{}.png", label="{}_mask.png")
    assert len(_list(tmp_path, images="*.png", masks="*_mask.png").cases) == 3


def test_suffixes_may_differ(tmp_path):
    _fill(tmp_path, image="img/{}.bmp", label="lab/{}.tif")
    assert len(_list(tmp_path, images="img/*", masks="lab/*").cases) == 3


def test_label_images_give_exclusive_classes(tmp_path):
    labels = RNG.integers(0, 3, (8, 9)).astype(np.uint8)
    _fill(tmp_path, mask=labels)
    dataset = _list(tmp_path, classes=["background", "cytoplasm", "nucleus"])
    assert dataset.task.kind == "exclusive"
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], labels)


def test_two_classes_in_the_sweep_but_three_in_the_data_is_one_clear_line(tmp_path):
    _fill(tmp_path, mask=RNG.integers(0, 3, (8, 9)).astype(np.uint8))
    with pytest.raises(DataError, match=r"a1\.png: the mask holds 2, which no class has; the 2 classes have 0, 1"):
        _list(tmp_path, classes=["background", "cell"]).cases[0].read()


def test_values_are_mapped_to_classes(tmp_path):
    _fill(tmp_path, mask=np.array([[0, 128, 255, 7]], np.uint8).repeat(8, 0))
    for name in ("a1", "a2", "b1"):
        _write(tmp_path / f"img/{name}.png", np.zeros((8, 4), np.uint8))
    dataset = _list(tmp_path, classes={"background": [0, 7], "cytoplasm": 128, "nucleus": 255})
    assert dataset.task.classes == ("background", "cytoplasm", "nucleus")
    np.testing.assert_array_equal(dataset.cases[0].read().truth[0, :, 0], [0, 1, 2, 0])
    one = _list(tmp_path, classes={"cell": [128, 255]}).cases[0].read()
    np.testing.assert_array_equal(one.truth[0, :, 0], [0, 1, 1, 0])


def test_a_mask_that_is_not_binary_names_its_values_and_the_mend(tmp_path):
    _fill(tmp_path, mask=np.array([[0, 1, 2]], np.uint8).repeat(8, 0))
    with pytest.raises(
        DataError, match=r"a1\.png: a binary mask holds 0 and one of 1, 255, 65535, this one 0, 1, 2; .*instances"
    ):
        _list(tmp_path).cases[0].read()


def test_instance_labels_become_foreground_and_are_kept(tmp_path):
    labels = np.arange(72, dtype=np.uint16).reshape(8, 9) * 10
    _fill(tmp_path, mask=labels)
    sample = _list(tmp_path, instances=True).cases[0].read()
    np.testing.assert_array_equal(sample.instances, labels)
    np.testing.assert_array_equal(sample.truth[..., 0], labels > 0)


def test_overlapping_classes_have_a_mask_each(tmp_path):
    _fill(tmp_path, label="nuc/{}.png")
    _fill(tmp_path, label="cell/{}.png", mask=np.full((8, 9), 1, np.uint8))
    dataset = _list(tmp_path, masks={"nucleus": "nuc/*.png", "cell": "cell/*.png"}, classes=None)
    assert dataset.task.kind == "multilabel"
    truth = dataset.cases[0].read().truth
    np.testing.assert_array_equal(truth[..., 0], np.eye(8, 9))
    assert truth[..., 1].all()


def test_the_ignore_label_stays_in_the_truth(tmp_path):
    mask = np.zeros((8, 9), np.uint8)
    mask[0], mask[1] = 1, 200
    _fill(tmp_path, mask=mask)
    dataset = _list(tmp_path, ignore=200)
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], mask)
    assert dataset.task.ignore == 200


def test_pages_of_a_tiff_are_a_volume_with_the_spacing_given(tmp_path):
    for name in ("a", "b", "c"):
        _write(tmp_path / f"img/{name}.tif", RNG.integers(0, 4096, (5, 8, 9), np.uint16))
        _write(tmp_path / f"lab/{name}.tif", np.ones((5, 8, 9), np.uint8))
    dataset = _list(tmp_path, images="img/*.tif", masks="lab/*.tif", spacing_mm=[2, 0.5, 0.5])
    assert dataset.task.rank == 3
    assert dataset.task.spacing_mm == dataset.cases[0].read().spacing_mm == (2.0, 0.5, 0.5)


def test_nifti_says_its_own_spacing(tmp_path):
    for name in ("a", "b", "c"):
        _write(tmp_path / f"img/{name}.nii.gz", RNG.random((5, 8, 9)).astype(np.float32))
        _write(tmp_path / f"lab/{name}.nii.gz", np.ones((5, 8, 9), np.uint8))
    dataset = _list(tmp_path, images="img/*.nii.gz", masks="lab/*.nii.gz")
    assert [case.name for case in dataset.cases] == ["a", "b", "c"]
    assert dataset.cases[0].read().spacing_mm == (0.5, 1.0, 2.0)


def test_groups_and_strata_come_from_the_path(tmp_path):
    _fill(tmp_path, names=("p1_s1_he", "p1_s2_he", "p2_s1_dapi"))
    dataset = _list(tmp_path, group=r"(p\d+)_", stratum="he|dapi")
    assert [(case.group, case.stratum) for case in dataset.cases] == [("p1", "he"), ("p1", "he"), ("p2", "dapi")]
    with pytest.raises(DataError, match="group 'x' is not found in img/p1_s1_he.png"):
        _list(tmp_path, group="x")
    with pytest.raises(SpecError, match=r"folder\.group: '\(' is no regular expression"):
        _list(tmp_path, group="(")


def test_unpaired_files_are_an_error_or_skipped_and_noted(tmp_path):
    _fill(tmp_path)
    _write(tmp_path / "img/c1.png", np.zeros((8, 9), np.uint8))
    _write(tmp_path / "lab/d1.png", np.zeros((8, 9), np.uint8))
    with pytest.raises(DataError, match=r"^folder: image without mask: img/c1\.png, and 1 more; add it"):
        _list(tmp_path)
    dataset = _list(tmp_path, unpaired="skip")
    assert len(dataset.cases) == 3
    assert dataset.notes == ("1 image without mask skipped: img/c1.png", "1 mask without image skipped: lab/d1.png")


def test_many_unpaired_files_are_one_line_a_kind(tmp_path):
    _fill(tmp_path)
    for index in range(53):
        _write(tmp_path / f"img/x{index:02}.png", np.zeros((8, 9), np.uint8))
    assert _list(tmp_path, unpaired="skip").notes == ("53 images without mask skipped (first: img/x00.png)",)


def test_sizes_that_differ_name_both_files(tmp_path):
    _fill(tmp_path, mask=np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match=r"img/a1\.png is 8×9 and its mask .*lab/a1\.png 8×8"):
        _list(tmp_path).cases[0].read()


def test_a_mask_that_was_deleted_after_listing_is_named(tmp_path):
    _fill(tmp_path)
    case = _list(tmp_path).cases[0]
    (tmp_path / "lab/a1.png").unlink()
    with pytest.raises(DataError, match=r"lab/a1\.png: there is no such file"):
        case.read()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"path": "/no/such/place"}, DataError, "/no/such/place is no folder"),
        ({"images": "pic/*.png"}, DataError, "matches no image file"),
        ({"images": "img/a1.png"}, SpecError, "is no glob"),
        ({"masks": 3}, SpecError, "neither a glob nor a mapping"),
        ({"classes": None}, SpecError, "give a list of names"),
        ({"classes": ["a", "b"], "instances": True}, SpecError, "one foreground class, came 2"),
        ({"classes": {"a": "x"}}, SpecError, "not a whole number"),
        ({"masks": {"a": "lab/*.png"}}, SpecError, "already name the classes"),
        ({"unpaired": "maybe"}, SpecError, "use error or skip"),
        ({"images": "img/*1.png", "masks": "lab/a*.png", "unpaired": "skip"}, DataError, "no image has a mask"),
    ],
)
def test_options_that_make_no_sense_are_one_clear_line(tmp_path, wrong, error, message):
    _fill(tmp_path)
    with pytest.raises(error, match=message):
        _list(tmp_path, **wrong)
