"""The published data sets, in tiny folders with their real names."""

import cv2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.audit import audit
from unetbench.datasets.source import Source

RNG = np.random.default_rng(0)


@pytest.fixture
def opened(tmp_path):
    """Lists a data set below the temporary folder, which may be written to as `home`."""

    def listing(name, **options):
        return DATASETS[name](Source(tmp_path, tmp_path / "cache", download=False), **options)

    listing.home = tmp_path
    return listing


def _write(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / f"._{file.name}").write_bytes(b"\0\5\x16\7")  # as macOS leaves it beside what it copies
    if file.name.endswith(".nii.gz"):
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), file)
    elif file.suffix == ".tif":
        tifffile.imwrite(file, array, compression="lzw")
    else:
        cv2.imwrite(str(file), array)


def _picture(*shape, top=256, dtype=np.uint8):
    return RNG.integers(0, top, shape).astype(dtype)


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"cells", "folder"}))
def test_a_data_set_that_is_not_there_says_in_one_line_where_to_get_it(name, opened):
    with pytest.raises(DataError, match=rf"^{name}: not found, expected .* get it from http") as caught:
        opened(name)
    assert "\n" not in str(caught.value)


def _kaggle(home, name, masks):
    folder = home / "dsb2018" / "stage1_train" / name
    _write(folder / "images" / f"{name}.png", np.dstack([_picture(8, 9, 3), np.full((8, 9), 255, np.uint8)]))
    for file, mask in masks.items():
        _write(folder / "masks" / f"{file}.png", mask)


def test_dsb2018_reads_both_layouts_and_never_the_removed_images(opened):
    first, second = np.zeros((2, 8, 9), np.uint8)
    first[:3], second[2:5] = 255, 255
    _kaggle(opened.home, "k1", {"bb": second, "aa": first})
    merged = opened.home / "dsb2018" / "stage1_train_merged"
    _write(merged / "images" / "m1.png", _picture(8, 9, 4))
    _write(merged / "labels" / "m1.png", np.arange(72, dtype=np.uint16).reshape(8, 9))
    _write(merged / "images" / "m2.png", _picture(8, 9, 4))
    _write(merged / "labels" / "m3.png", np.zeros((8, 9), np.uint16))
    _write(opened.home / "dsb2018" / "stage1_train_removed" / "r1" / "images" / "r1.png", _picture(8, 9, 4))
    dataset = opened("dsb2018")
    assert [case.name for case in dataset.cases] == ["k1", "m1"]
    assert dataset.notes == ("1 label without image skipped: m3.png", "1 image without label skipped: m2.png")
    kaggle, other = (case.read() for case in dataset.cases)
    assert kaggle.image.shape == other.image.shape == (8, 9, 3)
    np.testing.assert_array_equal(kaggle.instances[:, 0], [1, 1, 1, 2, 2, 0, 0, 0])  # aa before bb, row 2 stays aa
    np.testing.assert_array_equal(kaggle.truth[..., 0], kaggle.instances > 0)
    np.testing.assert_array_equal(other.instances, np.arange(72).reshape(8, 9))


def test_dsb2018_knows_the_kind_of_an_image_that_is_not_in_its_table(opened):
    mask = np.full((8, 9), 255, np.uint8)
    for name, level in (("dark", 20), ("light", 220)):
        _kaggle(opened.home, name, {"a": mask})
        image = opened.home / "dsb2018" / "stage1_train" / name / "images" / f"{name}.png"
        _write(image, np.full((8, 9, 3), level, np.uint8))
    _kaggle(opened.home, "stained", {"a": mask})
    strata = {case.name: case.stratum for case in opened("dsb2018").cases}
    assert strata == {"dark": "fluorescence", "light": "grey_bright", "stained": "colour_bright"}
    assert [case.name for case in opened("dsb2018", kinds=("grey_bright",)).cases] == ["light"]
    with pytest.raises(SpecError, match=r"dsb2018\.kinds: pink is unknown"):
        opened("dsb2018", kinds=("pink",))


def test_dsb2018_names_a_mask_of_another_size(opened):
    _kaggle(opened.home, "k1", {"aa": np.zeros((7, 9), np.uint8)})
    with pytest.raises(DataError, match=r"aa\.png: the mask is \(7, 9\), its image \(8, 9\)"):
        opened("dsb2018").cases[0].read()


def _bbbc006(home, field, channel=1, plane=16):
    name = f"mcf-z-stacks-03212011_{field}_w{channel}0a1b2c3d-1111-2222-3333-444455556666.tif"
    _write(home / "bbbc006" / f"BBBC006_v1_images_z_{plane:02d}" / name, _picture(8, 9, top=4096, dtype=np.uint16))


def _bbbc006_label(home, field):
    _write(home / "bbbc006" / "BBBC006_v1_labels" / f"mcf-z-stacks-03212011_{field}.png", _picture(8, 9, top=5))


def test_bbbc006_groups_the_sites_of_a_well_and_notes_what_has_no_partner(opened):
    for field in ("a01_s1", "a01_s2", "b02_s1"):
        _bbbc006(opened.home, field)
    for field in ("a01_s1", "a01_s2", "c03_s1"):
        _bbbc006_label(opened.home, field)
    dataset = opened("bbbc006")
    assert [(case.name, case.group) for case in dataset.cases] == [("a01_s1", "a01"), ("a01_s2", "a01")]
    assert dataset.notes == ("1 image without label skipped: b02_s1", "1 label without image skipped: c03_s1")
    sample = dataset.cases[0].read()
    assert sample.image.dtype == np.uint16
    np.testing.assert_array_equal(sample.truth[..., 0], sample.instances > 0)


def test_bbbc006_stacks_its_channels_in_the_order_given(opened):
    for channel in (1, 2):
        _bbbc006(opened.home, "a01_s1", channel)
    _bbbc006(opened.home, "a02_s1")
    for field in ("a01_s1", "a02_s1"):
        _bbbc006_label(opened.home, field)
    one, both = opened("bbbc006", channels=(2,)), opened("bbbc006", channels=(2, 1))
    assert both.task.channels == 2
    np.testing.assert_array_equal(both.cases[0].read().image[..., :1], one.cases[0].read().image)
    assert both.notes == ("1 field without all channels skipped: a02_s1",)
    with pytest.raises(SpecError, match=r"bbbc006\.channels: \[3\] is unknown"):
        opened("bbbc006", channels=(3,))
    with pytest.raises(DataError, match=r"plane 3 is not in .*there are \[16\]"):
        opened("bbbc006", plane=3)


def test_wbc_gives_three_classes_and_groups_pictures_of_one_cell(opened):
    for name in ("112", "139", "140"):
        _write(opened.home / "wbc" / "Dataset 1" / f"{name}.bmp", _picture(8, 9, 3))
        _write(opened.home / "wbc" / "Dataset 1" / f"{name}.png", RNG.choice([0, 128, 255], (8, 9)).astype(np.uint8))
    _write(opened.home / "wbc" / "Dataset 1" / "141.bmp", _picture(8, 9, 3))
    dataset = opened("wbc")
    assert [case.group for case in dataset.cases] == ["112-139", "112-139", "140"]
    assert dataset.notes == ("1 image without mask skipped: 141.bmp",)
    assert set(np.unique(dataset.cases[0].read().truth)) == {0, 1, 2}


def test_msd_hippocampus_notes_what_has_no_partner_and_groups_identical_labels(opened):
    home, label = opened.home / "msd_hippocampus" / "Task04_Hippocampus", _picture(5, 6, 7, top=3)
    for number in ("001", "002", "003", "004"):
        _write(home / "imagesTr" / f"hippocampus_{number}.nii.gz", RNG.random((5, 6, 7)).astype(np.float32) * 1e6)
    for number in ("001", "002", "003", "005"):
        mask = label if number in ("001", "002") else _picture(5, 6, 7, top=3)
        _write(
            home / "labelsTr" / f"hippocampus_{number}.nii.gz", mask.astype(np.float32 if number == "003" else np.uint8)
        )
    (home / "imagesTr" / "._hippocampus_009.nii.gz").write_bytes(b"resource fork")
    dataset = opened("msd_hippocampus")
    assert [case.group.count("hippocampus") for case in dataset.cases] == [2, 2, 1]
    assert dataset.notes == (
        "1 image without label skipped: hippocampus_004",
        "1 label without image skipped: hippocampus_005",
        "labels are the same file: hippocampus_001, hippocampus_002",
    )
    sample = dataset.cases[2].read()
    assert sample.truth.dtype == np.uint8
    assert sample.spacing_mm == (1.0, 1.0, 1.0)


def test_isbi2012_reads_stacks_and_single_sections_alike(opened):
    stack, labels = _picture(30, 8, 9), (_picture(30, 8, 9) > 127).astype(np.uint8) * 255
    _write(opened.home / "isbi2012" / "train-volume.tif", stack)
    _write(opened.home / "isbi2012" / "train-labels.tif", labels)
    dataset = opened("isbi2012")
    assert len(dataset.cases) == 26
    assert dataset.notes == ("left out between groups: sections 05, 11, 17, 23",)
    third = dataset.cases[3].read()
    np.testing.assert_array_equal(third.image[..., 0], stack[3])
    np.testing.assert_array_equal(third.truth[..., 0], labels[3] == 0)  # membrane
    np.testing.assert_array_equal(opened("isbi2012", target="cell").cases[3].read().truth[..., 0], labels[3] > 0)
    (opened.home / "isbi2012" / "train-volume.tif").unlink()
    for number in range(30):
        _write(opened.home / "isbi2012" / "train" / "image" / f"{number}.png", stack[number])
        _write(opened.home / "isbi2012" / "train" / "label" / f"{number}.png", labels[number])
    again = opened("isbi2012")
    assert [case.name for case in again.cases][:7] == ["0", "1", "2", "3", "4", "6", "7"]
    np.testing.assert_array_equal(again.cases[3].read().truth, third.truth)


def _deepbacs(
    home, name, share="train/full_images", modalities=("brightfield", "fluorescence"), masks=("fluorescence",)
):
    for modality in modalities:
        folder = home / "deepbacs" / f"{modality}_dataset" / share
        _write(folder / modality / f"{name}.tif", _picture(8, 9, top=4000, dtype=np.uint16))
        if modality in masks:
            _write(folder / "masks" / f"{name}.tif", _picture(8, 9, top=4, dtype=np.uint16))


@pytest.mark.parametrize("deeper", [False, True])
def test_deepbacs_pairs_the_modalities_of_a_field_and_keeps_its_test_fields(opened, deeper):
    home = opened.home / "deepbacs" / "DeepBacs_Data" if deeper else opened.home
    for name in ("a", "b", "c"):
        _deepbacs(home, name)
    _deepbacs(home, "a", share="test")
    _deepbacs(home, "dark", modalities=("fluorescence",))
    _deepbacs(home, "bare", masks=())
    if deeper:  # as unpacked: a folder in a folder
        (home / "deepbacs").rename(home / "DeepBacs_Data_Segmentation_Staph_Aureus_dataset")
    dataset = opened("deepbacs")
    assert [case.name for case in dataset.cases] == ["test/a", "train/a", "train/b", "train/c"]
    assert dataset.official == {"test/a": "test"}
    assert dataset.task.modalities == (("fluorescence", 1), ("brightfield", 1))
    assert dataset.notes == (
        "1 field without both modalities skipped: dark",
        "1 field without mask skipped: bare",
    )
    case = dataset.cases[1]
    sample = case.read()
    for channel, modality in enumerate(("fluorescence", "brightfield")):
        assert case.files[channel].parent.name == modality
        np.testing.assert_array_equal(sample.image[..., channel], tifffile.imread(case.files[channel]))
    np.testing.assert_array_equal(sample.instances, tifffile.imread(case.files[2]))
    np.testing.assert_array_equal(sample.truth[..., 0], sample.instances > 0)


def test_deepbacs_says_what_it_lacks(opened):
    _deepbacs(opened.home, "a", modalities=("fluorescence",))
    with pytest.raises(DataError, match="deepbacs: no field of .* has both modalities and a mask of fluorescence"):
        opened("deepbacs")
    with pytest.raises(SpecError, match=r"deepbacs\.truth: 'phase' is unknown; use fluorescence or brightfield"):
        opened("deepbacs", truth="phase")
    _deepbacs(opened.home, "a", modalities=("brightfield",))
    _write(
        opened.home / "deepbacs" / "brightfield_dataset" / "train" / "full_images" / "brightfield" / "a.tif",
        _picture(8, 10, top=4000, dtype=np.uint16),
    )
    with pytest.raises(DataError, match=r"brightfield/a\.tif is 8×10×1 and its mask .* 8×9; one grey image"):
        opened("deepbacs").cases[0].read()


def _sstem(home, sections=6):
    for number in range(sections):
        stack = home / "sstem_vnc" / "stack1"
        _write(stack / "raw" / f"{number:02d}.tif", _picture(8, 8))
        _write(
            stack / "labels" / f"labels{number:08d}.png",
            RNG.choice([0, 96, 128, 159, 191, 223, 255], (8, 8)).astype(np.uint8),
        )
        for folder in ("membranes", "mitochondria", "synapses"):
            _write(stack / folder / f"{number:02d}.png", np.full((8, 8), 127 + number % 2, np.uint8))


def test_sstem_vnc_cuts_stray_grey_values_at_128_and_leaves_gaps_between_groups(opened):
    _sstem(opened.home, 7)
    dataset = opened("sstem_vnc", target="mitochondria", block=3, gap=1)
    assert [(case.name, case.group) for case in dataset.cases] == [
        *((f"{k:02d}", "00-02") for k in range(3)),
        *((f"{k:02d}", "04-06") for k in range(4, 7)),
    ]
    assert [bool(case.read().truth.any()) for case in dataset.cases] == [False, True, False, False, True, False]


def test_sstem_vnc_masks_of_one_bit_are_read_as_those_of_eight(opened):
    _sstem(opened.home, 3)
    mask = RNG.integers(0, 2, (8, 8)).astype(bool)
    Image.fromarray(mask).save(opened.home / "sstem_vnc" / "stack1" / "membranes" / "01.png")
    truth = opened("sstem_vnc").cases[1].read().truth
    np.testing.assert_array_equal(truth[..., 0], mask)


def test_sstem_vnc_gives_exclusive_classes_and_volumes(opened):
    _sstem(opened.home)
    classes = opened("sstem_vnc", target="classes")
    assert classes.task.classes == ("intracellular", "membrane", "glia", "mitochondria", "synapse")
    assert set(np.unique(classes.cases[0].read().truth)) <= set(range(5))
    volume = opened("sstem_vnc", rank=3, grid=2)
    assert len({case.group for case in volume.cases}) == len(volume.cases) == 4
    sample = volume.cases[3].read()
    assert sample.truth.shape == (6, 4, 4, 1)
    assert sample.spacing_mm == volume.task.spacing_mm
    np.testing.assert_array_equal(sample.image[2], opened("sstem_vnc", gap=0).cases[2].read().image[4:, 4:])


def test_sstem_vnc_makes_no_volume_with_a_section_missing(opened):
    _sstem(opened.home)
    (opened.home / "sstem_vnc" / "stack1" / "membranes" / "02.png").unlink()
    assert opened("sstem_vnc").notes[0] == "1 section without membrane skipped: 02"
    with pytest.raises(DataError, match="sstem_vnc: no membrane for section 02; a volume needs every section"):
        opened("sstem_vnc", rank=3)


@pytest.mark.parametrize("wrong", [{"target": "nuclei"}, {"rank": 4}, {"grid": 0}])
def test_sstem_vnc_refuses_options_that_make_no_sense(opened, wrong):
    with pytest.raises(SpecError, match="sstem_vnc: target"):
        opened("sstem_vnc", **wrong)


def test_an_audit_gives_one_line_a_finding(opened):
    home = opened.home / "wbc" / "Dataset 1"
    mask = np.zeros((8, 9), np.uint8)
    mask[0] = 128
    for number in range(4):
        _write(home / f"00{number}.bmp", _picture(8, 9, 3))
        _write(home / f"00{number}.png", mask)
    assert audit(opened("wbc")).findings == ["no case holds the class nucleus"]
    (home / "000.bmp").write_bytes((home / "000.bmp").read_bytes()[:100])
    (home / "002.bmp").write_bytes((home / "001.bmp").read_bytes())
    _write(home / "003.bmp", np.full((8, 9, 3), 7, np.uint8))
    _write(home / "003.png", np.zeros((8, 9), np.uint8))
    seen = []
    findings = audit(opened("wbc"), progress=lambda: seen.append(1)).findings
    assert len(seen) == 4
    assert "000.bmp: is empty, damaged or cut short" in findings[0]
    assert findings[1:] == [
        "002: has the same image as 001, which is in another group",
        "003: the image is constant",
        "003: the mask is empty",
        "no case holds the class nucleus",
    ]
