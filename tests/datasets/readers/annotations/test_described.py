"""Data sets that say themselves which masks they have and what these mean: nnU-Net, MSD, Cellpose."""

import json

import cv2
import nibabel
import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source
from unetbench.datasets.split import split_cases

L = np.zeros((5, 6), np.uint8)
L[0:4, 1] = L[3, 1:4] = 1
VOLUME = np.zeros((4, 5, 3), np.int16)
VOLUME[1, 1:4, 1] = 1
VOLUME[1:3, 3, 1] = 2


def _list(home, annotations="dataset.json", **options):
    return DATASETS["folder"](Source(None, home / "cache"), path=str(home), annotations=annotations, **options)


def _nifti(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([0.5, 1.0, 2.0, 1.0])), file)


def _png(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), array)


def _nnunet(home, labels=None, channels=("T1", "T2"), names=("a", "b"), mask=VOLUME, ending=".nii.gz", **more):
    save = _nifti if ending.startswith(".nii") else _png
    for part, own in (("Tr", names), ("Ts", ("t", "u"))):
        for number, name in enumerate(own):
            for channel in range(len(channels)):
                image = np.full(mask.shape, 10 * number + channel, mask.dtype)
                save(home / f"images{part}/{name}_{channel:04d}{ending}", image)
            if part == "Tr":
                save(home / f"labels{part}/{name}{ending}", mask)
    described = {
        "channel_names": {str(k): name for k, name in enumerate(channels)},
        "labels": labels or {"background": 0, "core": 1, "rim": 2},
        "numTraining": len(names),
        "file_ending": ending,
    }
    (home / "dataset.json").write_text(json.dumps(described | more))


@pytest.mark.formats_row(
    "Annotations", "nnU-Net v2 raw", "nnU-Net's documentation", "`imagesTr/CASE_0000.nii.gz` …, `labelsTr/CASE.nii.gz`",
    "a file a channel, named as `channel_names` says; classes as `labels` says; a value that is no label is refused",
)  # fmt: skip
def test_nnunet_channels_and_classes(tmp_path):
    _nnunet(tmp_path)
    dataset = _list(tmp_path)
    assert [case.name for case in dataset.cases] == ["a", "b"]
    assert dataset.task.classes == ("background", "core", "rim")
    assert dataset.task.modalities == (("T1", 1), ("T2", 1))
    sample = dataset.cases[1].read()
    np.testing.assert_array_equal(sample.truth[..., 0], VOLUME)
    assert sample.image[0, 0, 0].tolist() == [10, 11]
    assert sample.spacing_mm == (0.5, 1, 2)
    _nifti(tmp_path / "labelsTr/b.nii.gz", VOLUME * 2)
    with pytest.raises(DataError, match=r"b\.nii\.gz: holds 4, the first at index .*labels of the values 0, 1, 2 only"):
        _list(tmp_path).cases[1].read()


@pytest.mark.formats_row(
    "Annotations", "nnU-Net v2 raw", "nnU-Net's documentation", "labels that are lists (regions), the label `ignore`",
    "classes that may overlap, a plane each; pixels that nothing looks at",
)  # fmt: skip
def test_nnunet_regions_and_the_ignore_label(tmp_path):
    mask = VOLUME.copy()
    mask[0, 0, 0] = 3
    _nnunet(tmp_path, {"background": 0, "whole": [1, 2], "rim": 2, "ignore": 3}, mask=mask, regions_class_order=[1, 2])
    dataset = _list(tmp_path)
    assert (dataset.task.kind, dataset.task.classes) == ("multilabel", ("whole", "rim"))
    truth = dataset.cases[0].read().truth
    ignored = mask == 3
    for plane, expected in enumerate((VOLUME > 0, VOLUME == 2)):
        np.testing.assert_array_equal(truth[..., plane], np.where(ignored, dataset.task.ignore, expected))
    rim = _list(tmp_path, classes=["rim"])
    assert rim.task.classes == ("rim",)
    np.testing.assert_array_equal(rim.cases[0].read().truth[..., 0] == 1, VOLUME == 2)


@pytest.mark.formats_row(
    "Annotations", "nnU-Net v2 raw", "nnU-Net's documentation", "RGB in `CASE_0000.png` beside three `channel_names`",
    "one image of three channels: the one exception to a file a channel",
)  # fmt: skip
def test_nnunet_colours_are_one_file(tmp_path):
    _nnunet(tmp_path, {"background": 0, "cell": 1}, ("only",), mask=L, ending=".png")
    content = json.loads((tmp_path / "dataset.json").read_text())
    content["channel_names"] = {"0": "R", "1": "G", "2": "B"}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"a_0000\.png has 1 channels and .*dataset\.json names 3: R, G, B"):
        _list(tmp_path)
    for name in "ab":
        _png(tmp_path / f"imagesTr/{name}_0000.png", np.dstack([L, L * 2, L * 3]))
    dataset = _list(tmp_path)
    assert (dataset.task.channels, dataset.task.modalities, dataset.task.kind) == (3, (), "binary")
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], L)


@pytest.mark.formats_row(
    "Annotations", "nnU-Net v2 raw", "nnU-Net's documentation", "`imagesTs` with and without `labelsTs`",
    "test cases, which no split draws from; those without labels are not looked at",
)  # fmt: skip
def test_nnunet_test_cases_are_test_cases(tmp_path):
    _nnunet(tmp_path, names=("a", "b", "c"))
    assert not _list(tmp_path).official
    _nifti(tmp_path / "labelsTs/t.nii.gz", VOLUME)
    dataset = _list(tmp_path)
    assert dataset.official == {"t": "test"}
    assert {case for case, role in split_cases(dataset).roles.items() if role == "test"} == {"t"}


def test_nnunet_may_list_its_files(tmp_path):
    _nnunet(tmp_path)
    listed = {"x": {"images": ["imagesTr/b_0000.nii.gz", "./imagesTr/b_0001.nii.gz"], "label": "labelsTr/b.nii.gz"}}
    content = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps({**content, "dataset": listed}))
    dataset = _list(tmp_path)
    assert [case.name for case in dataset.cases] == ["x"]
    listed["x"]["label"] = "../other/b.nii.gz"
    (tmp_path / "dataset.json").write_text(json.dumps({**content, "dataset": listed}))
    with pytest.raises(DataError, match=r"dataset\.json: '\.\./other/b\.nii\.gz' leads out of the folder"):
        _list(tmp_path)


def test_images_may_be_links_to_elsewhere(tmp_path):
    _nnunet(tmp_path / "home")
    (tmp_path / "home/imagesTr").rename(tmp_path / "large")
    (tmp_path / "home/imagesTr").symlink_to(tmp_path / "large")
    assert len(_list(tmp_path / "home").cases) == 2
    _msd(tmp_path / "msd", {"0": "MRI"}, VOLUME)
    (tmp_path / "msd/imagesTr").rename(tmp_path / "other")
    (tmp_path / "msd/imagesTr").symlink_to(tmp_path / "other")
    assert len(_list(tmp_path / "msd").cases) == 1


def test_nnunet_names_of_channels_may_repeat(tmp_path):
    _nnunet(tmp_path, channels=("noNorm", "noNorm", "CT"))
    assert _list(tmp_path).task.modalities == (("noNorm 0", 1), ("noNorm 1", 1), ("CT", 1))


def test_nnunet_cases_that_lack_a_file(tmp_path):
    _nnunet(tmp_path, names=("a", "b", "c"))
    (tmp_path / "imagesTr/a_0000.nii.gz").unlink()
    (tmp_path / "labelsTr/b.nii.gz").unlink()
    with pytest.raises(DataError, match=r"a has not a file for each of the 2 channels T1, T2, and 1 more such"):
        _list(tmp_path)
    dataset = _list(tmp_path, unpaired="skip")
    assert [case.name for case in dataset.cases] == ["c"]
    assert dataset.notes[-1].startswith("2 incomplete cases skipped (first: a has not a file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channel_names": {"1": "T1"}}, r"channel_names maps 0, 1 … to names"),
        ({"channel_names": ["T1"]}, r"channel_names maps 0, 1 … to names"),
        ({"file_ending": 4}, r"file_ending is '4' and must be a suffix"),
        ({"labels": {"a": 1}}, r"no label has the value 0"),
        ({"labels": {"background": 0, "a": "1"}}, r"the label a has \('1',\) and needs whole numbers"),
        ({"labels": {"background": 0, "a": 1, "ignore": 1}}, r"the label ignore is one value that no class has"),
        ({"labels": [0, 1]}, r"labels maps names to values"),
        ({"dataset": {"a": {"images": "x"}}}, r"dataset\.a needs `images`, a list of files, and `label`"),
        ({"file_ending": ".tif"}, r"none of its cases has an image and a mask"),
    ],
)
def test_a_dataset_json_that_cannot_be_is_one_line(tmp_path, change, message):
    _nnunet(tmp_path)
    content = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(content | change))
    with pytest.raises(DataError, match=r"dataset\.json: " + message):
        _list(tmp_path)


def test_options_beside_a_dataset_json(tmp_path):
    _nnunet(tmp_path)
    for options, message in (
        ({"images": "imagesTr/*.nii.gz"}, r"nnU-Net says which images there are; drop `images`"),
        ({"ignore": "rim"}, r"drop `ignore`"),
        ({"instances": True}, r"classes and number no objects"),
        ({"classes": ["rib"]}, r"label 'rib' is unknown; did you mean 'rim'"),
    ):
        with pytest.raises(SpecError, match=message):
            _list(tmp_path, **options)
    merged = _list(tmp_path, classes={"tumour": ["core", "rim"]})
    np.testing.assert_array_equal(merged.cases[0].read().truth[..., 0], VOLUME > 0)


def _msd(home, modality, image):
    _nifti(home / "imagesTr/x.nii.gz", image)
    _nifti(home / "labelsTr/x.nii.gz", VOLUME)
    described = {
        "modality": modality,
        "labels": {"0": "background", "2": "rim", "1": "core"},
        "numTraining": 1,
        "training": [{"image": "./imagesTr/x.nii.gz", "label": "./labelsTr/x.nii.gz"}],
        "test": ["./imagesTs/y.nii.gz"],
    }
    (home / "dataset.json").write_text(json.dumps(described))


@pytest.mark.formats_row(
    "Annotations", "MSD, nnU-Net v1", "the decathlon's archives", "`training` lists images and labels",
    "its cases and classes; `test`, without labels, is not looked at",
)  # fmt: skip
def test_msd(tmp_path):
    _msd(tmp_path, {"0": "MRI"}, VOLUME)
    dataset = _list(tmp_path)
    assert (dataset.task.classes, dataset.task.modalities) == (("background", "core", "rim"), ())
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], VOLUME)


@pytest.mark.formats_row(
    "Annotations", "MSD, nnU-Net v1", "the decathlon's archives", "several modalities",
    "the fourth axis of one NIfTI, whatever its header says of time",
)  # fmt: skip
def test_msd_modalities_are_the_fourth_axis(tmp_path):
    image = np.stack([VOLUME, VOLUME + 5], -1)
    _msd(tmp_path, {"0": "FLAIR", "1": "T1w"}, image)
    header = nibabel.load(tmp_path / "imagesTr/x.nii.gz")
    header.header.set_xyzt_units("mm", "sec")
    header.header["pixdim"][4] = 2.5
    nibabel.save(header, tmp_path / "imagesTr/x.nii.gz")
    dataset = _list(tmp_path)
    assert dataset.task.modalities == (("FLAIR", 1), ("T1w", 1))
    np.testing.assert_array_equal(dataset.cases[0].read().image, image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"background": 0}}, r"not names to numbers"),
        ({"labels": {"1": "core"}}, r"labels has no value 0"),
        ({"modality": {}}, r"modality and labels map"),
        ({"training": [{"image": "a"}]}, r"training\[0\] needs `image` and `label`"),
        ({"training": None}, r"training\[0\] needs"),
        ({"training": [{"image": "/etc/hosts", "label": "a"}]}, r"'/etc/hosts' leads out of the folder"),
        ({"training": [{"image": "a\0", "label": "a"}]}, r"has no a"),
        ({"training": [{"image": "a" * 300, "label": "a"}]}, r"leads out of the folder"),
        ({"training": [{"image": "a.nii", "label": "b.nii"}]}, r"a has no a\.nii; add it, or say"),
    ],
)
def test_a_dataset_json_of_msd_that_cannot_be_is_one_line(tmp_path, change, message):
    _msd(tmp_path, {"0": "MRI"}, VOLUME)
    content = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(content | change))
    with pytest.raises(DataError, match=r"dataset\.json: .*" + message):
        _list(tmp_path)


@pytest.mark.formats_row(
    "Annotations", "Cellpose", "Cellpose's `io.save_masks`", "`X_cp_masks.tif` or `.png` beside `X.*`",
    "numbers of cells",
)  # fmt: skip
def test_cellpose(tmp_path):
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", L * 9)
        tifffile.imwrite(tmp_path / f"{name}_flows.tif", L)
        tifffile.imwrite(tmp_path / f"{name}_cp_masks.tif", L.astype(np.uint16) * 300)
    dataset = _list(tmp_path, "*_cp_masks.*")
    assert [case.name for case in dataset.cases] == ["a", "b"]
    assert dataset.task.classes == ("cell",)
    np.testing.assert_array_equal(dataset.cases[0].read().instances, L * np.int32(300))
    assert _list(tmp_path, "*_cp_masks.tif", classes=["nucleus"]).task.classes == ("nucleus",)
    tifffile.imwrite(tmp_path / "b_cp_masks.tif", L)
    cv2.imwrite(str(tmp_path / "b_cp_masks.png"), L)
    with pytest.raises(DataError, match=r"b\.tif has two masks, b_cp_masks\.png and b_cp_masks\.tif; drop one"):
        _list(tmp_path, "*_cp_masks.*")
    (tmp_path / "b_cp_masks.png").unlink()
    (tmp_path / "b.tif").unlink()
    with pytest.raises(DataError, match=r"b_cp_masks\.tif: its image b is not beside it; add it"):
        _list(tmp_path, "*_cp_masks.*")


@pytest.mark.formats_row(
    "Annotations", "Cellpose", "Cellpose's GUI", "`X_seg.npy`",
    "refused, never loaded: it is a pickle, which can run code; save masks as PNG or TIFF",
)  # fmt: skip
def test_cellposes_pickle_is_never_loaded(tmp_path):
    np.save(tmp_path / "a_seg.npy", {"masks": L}, allow_pickle=True)
    with pytest.raises(DataError, match=r"a_seg\.npy: is a pickle.*export its masks.*\*_cp_masks\.\*"):
        _list(tmp_path, "*_seg.npy")


@pytest.mark.formats_row(
    "Annotations", "Cellpose", "Cellpose's `io.save_masks`",
    "`X_cp_output_cp_masks.png`, `X_outlines_cp_masks.png`, `X_flows_cp_masks.tif`, `X_dP_cp_masks.tif`",
    "passed over: figures and flows, though they are called masks",
)  # fmt: skip
def test_cellpose_calls_figures_masks(tmp_path):
    for name in ("a", "a_cp_output_cp_masks", "a_outlines_cp_masks", "a_cp_masks"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), L)
    for name in ("a_flows_cp_masks", "a_dP_cp_masks"):
        tifffile.imwrite(tmp_path / f"{name}.tif", L)
    assert [case.name for case in _list(tmp_path, "*_cp_masks.*").cases] == ["a"]


@pytest.mark.formats_row(
    "Annotations", "Cellpose", "Cellpose's `io.save_masks`", "an image without cells, for which it writes no PNG",
    "an error where `images` finds it; `missing: empty` says that it shows no cell",
)  # fmt: skip
def test_cellpose_writes_no_mask_of_an_image_without_cells(tmp_path):
    for name in ("a", "b", "a_cp_masks"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), L)
    assert [case.name for case in _list(tmp_path, "*_cp_masks.*").cases] == ["a"]
    with pytest.raises(DataError, match=r"image without annotation: b\.png"):
        _list(tmp_path, "*_cp_masks.*", images="*.png")
    dataset = _list(tmp_path, "*_cp_masks.*", images="*.png", missing="empty")
    assert [int(case.read().instances.sum()) for case in dataset.cases] == [6, 0]
