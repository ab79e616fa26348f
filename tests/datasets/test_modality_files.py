"""A folder with one glob a modality: files that belong together become the channels of one image."""

import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

GLOBS = {"fluorescence": "f/*.tif", "phase": "p/*_ph.tif"}
NAMES = ("a1", "a2", "b1")


def _write(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(file, array, photometric="rgb" if array.shape[-1] == 3 else "minisblack")


@pytest.fixture
def home(tmp_path):
    """Three cases in two modalities of different bits, and their masks."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        _write(tmp_path / "f" / f"{name}.tif", rng.integers(0, 4000, (8, 9)).astype(np.uint16))
        _write(tmp_path / "p" / f"{name}_ph.tif", rng.integers(0, 256, (8, 9)).astype(np.uint8))
        _write(tmp_path / "m" / f"{name}.tif", (rng.random((8, 9)) > 0.5).astype(np.uint8))
    return tmp_path


def _listed(home, **options):
    usual = {"path": str(home), "images": GLOBS, "masks": "m/*.tif", "classes": ["cell"]}
    return DATASETS["folder"](Source(None, home / "cache"), **{**usual, **options})


def test_the_files_of_a_case_are_the_channels_of_its_image(home):
    dataset = _listed(home)
    assert dataset.task.modalities == (("fluorescence", 1), ("phase", 1))
    assert dataset.task.channels == 2
    assert [case.name for case in dataset.cases] == list(NAMES)
    case = dataset.cases[1]
    assert [file.name for file in case.files] == ["a2.tif", "a2.tif", "a2_ph.tif"]
    image = case.read().image
    assert image.dtype == np.uint16
    for channel, file in enumerate((case.files[0], case.files[2])):
        np.testing.assert_array_equal(image[..., channel], tifffile.imread(file))


def test_a_modality_may_have_colours_and_the_order_is_that_of_the_file(home):
    for name in NAMES:
        _write(home / "he" / f"{name}.tif", np.zeros((8, 9, 3), np.uint8))
    dataset = _listed(home, images={"phase": "p/*_ph.tif", "stain": "he/*.tif"})
    assert dataset.task.modalities == (("phase", 1), ("stain", 3))
    assert dataset.task.parts == (1, 3)
    assert dataset.cases[0].read().image.shape == (8, 9, 4)


@pytest.mark.parametrize(("gone", "named"), [("p/a2_ph.tif", "phase"), ("f/a2.tif", "fluorescence")])
def test_a_modality_missing_for_a_case_is_one_line_or_skipped(home, gone, named):
    (home / gone).unlink()
    with pytest.raises(DataError, match=f"folder: case a2 has no {named} image .*unpaired: skip") as caught:
        _listed(home)
    assert "\n" not in str(caught.value)
    dataset = _listed(home, unpaired="skip")
    assert [case.name for case in dataset.cases] == ["a1", "b1"]
    assert f"1 case without all modalities skipped: a2 has no {named} image" in dataset.notes


def test_modalities_of_other_sizes_or_channels_are_named(home):
    _write(home / "p" / "a2_ph.tif", np.zeros((8, 10), np.uint8))
    with pytest.raises(DataError, match=r"a2\.tif is 8×9 and .*a2_ph\.tif, another modality of it, 8×10"):
        _listed(home).cases[1].read()
    _write(home / "p" / "a2_ph.tif", np.random.default_rng(0).integers(0, 256, (8, 9, 3)).astype(np.uint8))
    with pytest.raises(DataError, match=r"a2_ph\.tif: the image has 3 channels, its modality 1"):
        _listed(home).cases[1].read()


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ({"phase": "p/*_ph.tif", "all": "f/*.tif"}, "all is a word"),
        ({"phase": "p/*_ph.tif", "other": "p/*_ph.tif"}, "is phase and other"),
        ({"phase": "p/*_ph.tif", "mask": "m/*.tif"}, "is a modality and a mask"),
        ({"phase": 3}, "'phase': 3 is no name with a glob"),
        ({}, "names no modality"),
        (["p/*.tif"], "neither a glob nor a mapping"),
    ],
)
def test_globs_that_make_no_sense_are_one_line(home, images, told):
    with pytest.raises(SpecError, match=r"^folder\.images") as caught:
        _listed(home, images=images)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_names_a_column_a_modality(home):
    lines = ["fl,ph,mask,split", *(f"f/{name}.tif,p/{name}_ph.tif,m/{name}.tif," for name in NAMES)]
    (home / "pairs.csv").write_text("\n".join(lines))
    options = {"masks": None, "pairs": "pairs.csv", "images": {"fluorescence": "fl", "phase": "ph"}}
    globs, table = _listed(home), _listed(home, **options)
    assert table.task == globs.task
    np.testing.assert_array_equal(table.cases[2].read().image, globs.cases[2].read().image)
    (home / "pairs.csv").write_text("\n".join(lines).replace("p/a2_ph.tif", ""))
    with pytest.raises(DataError, match=r"pairs\.csv, line 3: names no ph"):
        _listed(home, **options)


def test_pages_of_stacks_are_cases_of_all_modalities(home):
    stacks = home / "stacks"
    for name in ("f", "p", "m"):
        _write(stacks / f"{name}.tif", np.random.default_rng(1).integers(0, 2, (3, 8, 9)).astype(np.uint8))
    images = {"fluorescence": "f.tif", "phase": "p.tif"}
    dataset = _listed(stacks, images=images, masks="m.tif", pages="cases")
    assert [case.name for case in dataset.cases] == ["f/page0", "f/page1", "f/page2"]
    sample = dataset.cases[2].read()
    np.testing.assert_array_equal(sample.image[..., 1], tifffile.imread(stacks / "p.tif")[2])
