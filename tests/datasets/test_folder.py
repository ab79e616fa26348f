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
    _fill(tmp_path, mask=np.array([[0, 1, 2] * 3], np.uint8).repeat(8, 0))
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
        ({"classes": ["a", "b"], "instances": True}, SpecError, "one foreground class .*, came 2 names"),
        ({"classes": {"a": 255}, "instances": True}, SpecError, r"came a mapping; .* as in `classes: \[cell\]`"),
        ({"spacing_mm": 0.5}, SpecError, r"folder\.spacing_mm: 0\.5 is no list of numbers; give an edge in mm"),
        ({"spacing_mm": ["a", 1]}, SpecError, r"folder\.spacing_mm: .* is no list of numbers"),
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


def test_a_table_of_pairs_has_groups_and_roles(tmp_path):
    _fill(tmp_path, names=("a1", "a2", "b1", "c1"))
    rows = ["image,mask,group,split,site", "img/a1.png,lab/a1.png,a,train,x", "img/a2.png,lab/a2.png;lab/b1.png,a,,x"]
    (tmp_path / "pairs.csv").write_text("\n".join([*rows, "img/b1.png,lab/b1.png,b,test,y", "img/c1.png,,c,,y"]))
    dataset = _list(tmp_path, images="", masks=None, pairs="pairs.csv", missing="empty")
    assert [(case.name, case.group) for case in dataset.cases] == [
        ("img/a1", "a"), ("img/a2", "a"), ("img/b1", "b"), ("img/c1", "c")
    ]  # fmt: skip
    assert dataset.official == {"img/a1": "train", "img/b1": "test"}
    assert not dataset.cases[3].read().truth.any()
    with pytest.raises(
        DataError, match=r"pairs\.csv, line 5: img/c1\.png has no mask; add it, or say `missing: empty`"
    ):
        _list(tmp_path, images="", masks=None, pairs="pairs.csv")


def test_a_table_may_have_a_column_for_each_class(tmp_path):
    _fill(tmp_path)
    _fill(tmp_path, label="cell/{}.png", mask=np.full((8, 9), 1, np.uint8))
    (tmp_path / "p.csv").write_text("image,nuc,cell\nimg/a1.png,lab/a1.png,cell/a1.png\n")
    dataset = _list(tmp_path, images="", masks={"nucleus": "nuc", "cell": "cell"}, classes=None, pairs="p.csv")
    truth = dataset.cases[0].read().truth
    np.testing.assert_array_equal(truth[..., 0], np.eye(8, 9))
    assert truth[..., 1].all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,lab\n", r"p\.csv: has no column 'mask'; its head is image, lab"),
        ("image,mask,spilt\n", "its column 'spilt' is unknown; did you mean 'split'"),
        ("image,mask,split\nimg/a1.png,lab/a1.png,val\n", "line 2: split is 'val'; use train, validation, test"),
        ("image,mask\nimg/zz.png,lab/a1.png\n", r"line 2: .*zz\.png is no file"),
        ("image,mask\n", "has no row"),
        ("image,mask\nimg/a1.png,lab/a1.png,x\n", "line 2: has more cells than the head"),
        ("image,mask\nimg/a1.png,lab/a1.png\nimg/a1.png,lab/a1.png\n", "lines 2 and 3 are both 'img/a1'"),
    ],
)
def test_faults_of_a_table_name_its_line(tmp_path, text, message):
    _fill(tmp_path)
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        _list(tmp_path, images="", masks=None, pairs="p.csv")


def test_pages_are_cases_of_one_group(tmp_path):
    stack = RNG.integers(0, 4096, (11, 8, 9), np.uint16)
    _write(tmp_path / "stack.tif", stack)
    _write(tmp_path / "labels.tif", (stack > 2000).astype(np.uint8))
    dataset = _list(tmp_path, images="stack.tif", masks="labels.tif", pages="cases")
    assert dataset.task.rank == 2
    assert [case.name for case in dataset.cases][::10] == ["stack/page00", "stack/page10"]
    assert {case.group for case in dataset.cases} == {"stack"}
    sample = dataset.cases[7].read()
    np.testing.assert_array_equal(sample.image[..., 0], stack[7])
    np.testing.assert_array_equal(sample.truth[..., 0], stack[7] > 2000)
    _write(tmp_path / "labels.tif", (stack[:5] > 2000).astype(np.uint8))
    with pytest.raises(DataError, match=r"stack\.tif is 11×8×9 and its mask .*labels\.tif 5×8×9"):
        dataset.cases[7].read()


def test_pages_of_other_files_are_refused(tmp_path):
    _fill(tmp_path)
    with pytest.raises(DataError, match=r"a1\.png: has no pages; `pages: cases` is for stacks and volumes"):
        _list(tmp_path, pages="cases")


@pytest.mark.parametrize("channels", ["first", "last"])
def test_the_axis_of_channels_may_be_said(tmp_path, channels):
    image = RNG.integers(0, 4096, (8, 9, 5), np.uint16)
    _write(tmp_path / "img/a.tif", np.moveaxis(image, -1, 0) if channels == "first" else image)
    _write(tmp_path / "lab/a.png", np.eye(8, 9, dtype=np.uint8))
    dataset = _list(tmp_path, images="img/*.tif", channels=channels)
    assert (dataset.task.rank, dataset.task.channels) == (2, 5)
    np.testing.assert_array_equal(dataset.cases[0].read().image, image)


def test_several_masks_are_united_or_are_the_objects(tmp_path):
    first, second = np.zeros((2, 8, 9), np.uint8)
    first[:4, :4], second[3:, 3:] = 255, 255
    _write(tmp_path / "img/a.png", np.zeros((8, 9), np.uint8))
    for name, mask in (("1", first), ("2", second)):
        _write(tmp_path / f"lab/a_{name}.png", mask)
    options = {"masks": "lab/*_*.png", "pairing": "parts"}
    np.testing.assert_array_equal(_list(tmp_path, **options).cases[0].read().truth[..., 0], (first | second) > 0)
    sample = _list(tmp_path, **options, instances=True).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], (first | second) > 0)
    assert len(np.unique(sample.instances)) == 3
    assert sample.instances[0, 0] != sample.instances[7, 8]


def test_several_masks_of_classes_may_not_contradict(tmp_path):
    _write(tmp_path / "img/a.png", np.zeros((8, 9), np.uint8))
    for value in (1, 2):
        _write(tmp_path / f"lab/a_{value}.png", np.eye(8, 9, dtype=np.uint8) * value)
    case = _list(tmp_path, masks="lab/*_*.png", pairing="parts", classes=["bg", "one", "two"]).cases[0]
    with pytest.raises(DataError, match=r"a_2\.png: gives 8 pixels another class than the masks before it"):
        case.read()


def test_ignored_pixels_of_one_of_several_masks_give_way_to_a_class(tmp_path):
    first, second = np.zeros((2, 8, 9), np.uint8)
    first[0], second[0, :3] = 200, 1
    _write(tmp_path / "img/a.png", np.zeros((8, 9), np.uint8))
    _write(tmp_path / "lab/a_1.png", first)
    _write(tmp_path / "lab/a_2.png", second)
    dataset = _list(tmp_path, masks="lab/*_*.png", pairing="parts", ignore=200)
    assert dataset.cases[0].read().truth[0, :, 0].tolist() == [1] * 3 + [200] * 6


def test_masks_of_single_objects_in_a_folder_for_each_image(tmp_path):
    for name in ("a", "b", "c"):
        _write(tmp_path / name / f"images/{name}.png", np.zeros((8, 9), np.uint8))
        for place in range(3):
            mask = np.zeros((8, 9), np.uint8)
            mask[place * 3] = 255
            _write(tmp_path / name / f"masks/{place}.png", mask)
    options = {"images": "*/images/*.png", "masks": "*/masks/*.png", "instances": True, "pairing": "parts"}
    dataset = _list(tmp_path, **options, named_by=1)
    assert [case.name for case in dataset.cases] == ["a", "b", "c"]
    assert len(np.unique(dataset.cases[0].read().instances)) == 4
    with pytest.raises(SpecError, match=r"parts have more wildcards than the 2 that name a case"):
        _list(tmp_path, **options)


def test_names_with_the_separator_find_their_parts(tmp_path):
    _write(tmp_path / "img/a_1.png", np.zeros((8, 9), np.uint8))
    _write(tmp_path / "img/b.png", np.zeros((8, 9), np.uint8))
    for name in ("a_1_x", "b_x", "b_x_y"):
        _write(tmp_path / f"lab/{name}.png", np.eye(8, 9, dtype=np.uint8))
    dataset = _list(tmp_path, masks="lab/*_*.png", pairing="parts")
    assert [len(case.files) for case in dataset.cases] == [2, 3]


def test_a_part_that_cannot_be_read_is_not_left_out(tmp_path):
    _write(tmp_path / "img/a.png", np.zeros((8, 9), np.uint8))
    _write(tmp_path / "lab/a_1.png", np.eye(8, 9, dtype=np.uint8))
    (tmp_path / "lab/a_2.svg").write_bytes(b"<svg/>")
    with pytest.raises(DataError, match=r"a_2\.svg is no image file and would be left out of its truth"):
        _list(tmp_path, masks="lab/*_*", pairing="parts")


def test_one_mask_holds_for_many_images(tmp_path):
    for name in ("p1/t0", "p1/t1", "p2/t0"):
        _write(tmp_path / f"{name}.png", RNG.integers(0, 256, (8, 9), np.uint8))
    for name in ("p1", "p2"):
        _write(tmp_path / f"{name}/mask.tif", np.eye(8, 9, dtype=np.uint8))
    dataset = _list(tmp_path, images="*/t*.png", masks="*/mask.tif", pairing="shared")
    assert [(case.name, case.group) for case in dataset.cases] == [("p1/0", "p1"), ("p1/1", "p1"), ("p2/0", "p2")]
    everywhere = _list(tmp_path, images="*/t*.png", masks="p1/mask.tif", pairing="shared")
    assert {case.files[1] for case in everywhere.cases} == {tmp_path / "p1/mask.tif"}
    assert len({case.group for case in everywhere.cases}) == 3
    with pytest.raises(SpecError, match=r"shared masks have fewer wildcards than images, \*/\*\.tif has 2 of 2"):
        _list(tmp_path, images="*/t*.png", masks="*/*.tif", pairing="shared")


def test_a_shared_mask_that_no_image_uses_is_an_error(tmp_path):
    _write(tmp_path / "p1/t0.png", np.zeros((8, 9), np.uint8))
    for name in ("p1", "p2"):
        _write(tmp_path / f"{name}/mask.tif", np.eye(8, 9, dtype=np.uint8))
    with pytest.raises(DataError, match=r"mask without image: p2/mask\.tif"):
        _list(tmp_path, images="*/t*.png", masks="*/mask.tif", pairing="shared")


def test_a_missing_mask_may_mean_an_empty_one(tmp_path):
    _fill(tmp_path)
    (tmp_path / "lab/a2.png").unlink()
    with pytest.raises(DataError, match=r"image without mask: img/a2\.png; add it, .*`missing: empty`"):
        _list(tmp_path)
    dataset = _list(tmp_path, missing="empty")
    assert dataset.notes == ("1 image without mask taken for empty: img/a2.png",)
    sample = dataset.cases[1].read()
    assert sample.truth.shape == (8, 9, 1)
    assert not sample.truth.any()
    empty = _list(tmp_path, missing="empty", instances=True).cases[1].read()
    assert empty.instances.shape == (8, 9)
    assert not empty.instances.any()
    with pytest.raises(DataError, match="no image has a mask of the same name"):
        _list(tmp_path, images="img/a2*.png", masks="lab/b*.png", missing="empty", unpaired="skip")


def test_skipping_says_which_classes_of_an_image_are_lost(tmp_path):
    _fill(tmp_path, label="nuc/{}.png")
    _fill(tmp_path, label="cell/{}.png")
    (tmp_path / "cell/a2.png").unlink()
    options = {"masks": {"nucleus": "nuc/*.png", "cell": "cell/*.png"}, "classes": None}
    dataset = _list(tmp_path, **options, unpaired="skip")
    assert dataset.notes == ("1 image without the masks of some classes skipped: img/a2.png (no cell)",)
    kept = _list(tmp_path, **options, missing="empty")
    assert kept.cases[1].read().truth.any((0, 1)).tolist() == [True, False]


def test_two_valued_masks_have_objects_by_their_pieces(tmp_path):
    mask = np.zeros((8, 9), np.uint8)
    mask[:2, :2], mask[5:, 5:] = 255, 255
    _fill(tmp_path, mask=mask)
    assert len(np.unique(_list(tmp_path, instances=True).cases[0].read().instances)) == 2
    assert len(np.unique(_list(tmp_path, instances=True, components=True).cases[0].read().instances)) == 3


@pytest.mark.parametrize("value", [65535, 300, -1])
def test_the_ignored_value_may_be_any_that_files_hold(tmp_path, value):
    mask = np.eye(8, 9, dtype=np.int32)
    mask[7] = value
    _fill(tmp_path, label="lab/{}.tif", mask=mask)
    dataset = _list(tmp_path, masks="lab/*.tif", ignore=value)
    truth = dataset.cases[0].read().truth[..., 0]
    np.testing.assert_array_equal(truth[:7], np.eye(8, 9)[:7])
    assert (truth[7] == dataset.task.ignore).all()
    objects = _list(tmp_path, masks="lab/*.tif", ignore=value, instances=True).cases[0].read().instances
    assert objects.max() == 1
    assert objects.min() == 0


def test_the_ignored_value_may_be_the_number_of_a_class(tmp_path):
    mask = np.zeros((8, 9), np.uint8)
    mask[0], mask[1] = 255, 1
    _fill(tmp_path, mask=mask)
    dataset = _list(tmp_path, classes={"cell": 255}, ignore=1)
    truth = dataset.cases[0].read().truth[..., 0]
    assert (truth[0] == 1).all()
    assert (truth[1] == dataset.task.ignore).all()


def test_a_case_says_where_its_spacing_comes_from(tmp_path):
    for name in ("img", "lab"):
        _write(tmp_path / name / "a.nii.gz", np.zeros((4, 5, 6), np.uint8))
    globs = {"images": "img/*.nii.gz", "masks": "lab/*.nii.gz"}
    (stated,) = _list(tmp_path, **globs).cases
    (given,) = _list(tmp_path, **globs, spacing_mm=[1, 1, 3]).cases
    assert (stated.read().spacing_mm, stated.read().spacing_source) == ((0.5, 1.0, 2.0), "NIfTI header")
    assert (given.read().spacing_mm, given.read().spacing_source) == ((1.0, 1.0, 3.0), "sweep file")
