"""NRRD as pynrrd, SimpleITK and 3D Slicer write it."""

import gzip

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image, read_mask

nrrd = pytest.importorskip("nrrd", reason="pynrrd is not installed")

VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 5, 6), np.int16)
PLACED = {
    "space": "left-posterior-superior",
    "space directions": np.diag([0.5, 1.0, 3.0]),
    "space origin": [20, -30, 7],
}


def _write(file, array=VOLUME, **fields):
    nrrd.write(str(file), array, {**PLACED, **{name.replace("_", " "): value for name, value in fields.items()}})
    return file


def _written(file, text, data):
    """A file of a header as text, for what pynrrd does not write."""
    file.write_bytes(b"NRRD0005\n" + text.encode() + b"\n\n" + data)
    return file


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd, SimpleITK",
    "space LPS, RAS or LAS, by name or letters; gzip, bzip2, raw or text",
    "the same voxels in RAS+; edges are the norms of the rows of `space directions`",
)
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_voxels_and_places_are_those_written(tmp_path, encoding):
    found = read_image(_write(tmp_path / "a.nrrd", encoding=encoding))
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[::-1, ::-1])
    assert (found.spacing_mm, found.spacing_source, found.orientation) == ((0.5, 1.0, 3.0), "NRRD header", "LPS")
    assert (found.notes, found.array.dtype) == ((), np.int16)
    # x: 20 mm left is -20 right, and of 4 voxels of 0.5 mm to the left the first in RAS+ is 1.5 mm farther: -21.5;
    # y: -30 mm posterior is 30 anterior, less 4 voxels of 1 mm
    np.testing.assert_allclose(found.affine @ [0, 0, 0, 1], [-21.5, 26, 7, 1])


@pytest.mark.formats_row(
    "Geometry", "NRRD", "pynrrd, SimpleITK", "space LPS, RAS or LAS, by name or letters; gzip, bzip2, raw or text"
)
@pytest.mark.parametrize(
    ("space", "orientation"),
    [("right-anterior-superior", "RAS"), ("LAS", "LAS"), ("left-posterior-superior", "LPS"), ("RAS", "RAS")],
)
def test_the_space_says_where_directions_point(tmp_path, space, orientation):
    found = read_image(_write(tmp_path / "a.nrrd", space=space))
    assert found.orientation == orientation


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd",
    "directions in µm by `space units`; oblique directions",
    "millimetres; by the nearest of the 48",
)
def test_units_are_converted_and_edges_are_the_norms_of_rows(tmp_path):
    turned = [[300.0, 400.0, 0.0], [-800.0, 600.0, 0.0], [0.0, 0.0, 2000.0]]
    found = read_image(_write(tmp_path / "a.nrrd", space_directions=np.array(turned), space_units=["um"] * 3))
    assert found.spacing_mm == (1.0, 0.5, 2.0)  # of (-0.8, 0.6) and (0.3, 0.4): the second axis points most along x
    np.testing.assert_allclose(np.abs(found.affine[:2, :2]), [[0.8, 0.3], [0.6, 0.4]])


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd",
    "no space, or one that is not anatomical (`scanner-xyz`)",
    "axes as they are, noted; edges of `spacings` or directions, none where all are 1 and no unit is stated",
)
@pytest.mark.parametrize("fields", [{"space": "scanner-xyz"}, {"spacings": [0.5, 1, 3]}])
def test_what_states_no_anatomical_space_keeps_its_axes(tmp_path, fields):
    file = tmp_path / "a.nrrd"
    nrrd.write(str(file), VOLUME, fields if "spacings" in fields else PLACED | fields)
    found = read_image(file)
    np.testing.assert_array_equal(found.array[..., 0], VOLUME)
    assert (found.orientation, found.affine, found.spacing_mm) == ("", None, (0.5, 1.0, 3.0))
    assert found.notes == ("the NRRD states no anatomical space; its axes are taken as they are",)
    nrrd.write(str(file), VOLUME, {"spacings": [1, 1, 1]})
    assert read_image(file).spacing_mm is None


@pytest.mark.formats_row(
    "Geometry", "NRRD", "pynrrd", "`space units` that are no length, or differ", "no spacing, noted"
)
def test_unknown_units_are_no_spacing(tmp_path):
    found = read_image(_write(tmp_path / "a.nrrd", space_units=["voxels"] * 3))
    assert (found.spacing_mm, found.affine) == (None, None)
    assert found.notes == ("the space units 'voxels', 'voxels', 'voxels' are not known; give `spacing_mm`",)


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd",
    "directions of which one is 0, or which lie in one plane",
    "as if there were none, noted",
)
def test_directions_that_are_no_grid_are_not_used(tmp_path):
    found = read_image(_write(tmp_path / "a.nrrd", space_directions=np.diag([0.5, 0, 3])))
    assert (found.spacing_mm, found.affine, found.orientation) == (None, None, "")
    (note,) = found.notes
    assert "several voxels one place" in note


@pytest.mark.formats_row(
    "Images",
    "NRRD",
    "pynrrd",
    "two axes",
    "an image, rows first; no spacing where both edges are 1 and no unit is stated",
)
def test_an_image_has_rows_first(tmp_path):
    nrrd.write(str(tmp_path / "a.nrrd"), VOLUME[0], {"spacings": [0.5, 2]})
    found = read_image(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[0].T)
    assert (found.spacing_mm, found.depth) == ((2.0, 0.5), 0)


@pytest.mark.formats_row(
    "Images",
    "NRRD",
    "pynrrd, SimpleITK",
    "an axis of kind `vector` or colour, first or last",
    "channels",
)
@pytest.mark.parametrize("first", [True, False])
def test_vectors_are_channels_wherever_their_axis_is(tmp_path, first):
    array = np.stack([VOLUME, VOLUME + 1], 0 if first else -1)
    directions = np.array([[np.nan] * 3, *np.diag([0.5, 1.0, 3.0])])
    kinds = ["vector", "domain", "domain", "domain"]
    rolled = slice(None) if first else [1, 2, 3, 0]
    file = _write(
        tmp_path / "a.nrrd",
        array,
        space_directions=directions[rolled],
        kinds=kinds if first else [*kinds[1:], kinds[0]],
    )
    found = read_image(file)
    np.testing.assert_array_equal(found.array, np.stack([VOLUME, VOLUME + 1], -1)[::-1, ::-1])
    assert found.notes == ()


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd",
    "an axis of kind `time`",
    "refused: `pages: frames` makes a case of each frame, `channels: last` makes channels",
)
@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd",
    "an axis of kind `list`, or of no kind",
    "channels, noted; `pages: frames` if it is time",
)
def test_time_is_refused_or_frames_and_a_list_is_channels(tmp_path):
    movie = np.stack([VOLUME, VOLUME + 1, VOLUME + 2], -1)
    directions = np.array([*np.diag([0.5, 1.0, 3.0]), [np.nan] * 3])
    file = _write(tmp_path / "a.nrrd", movie, space_directions=directions, kinds=["domain"] * 3 + ["time"])
    with pytest.raises(DataError, match=r"a\.nrrd: has an axis of time \(3 frames\); say `pages: frames`"):
        read_image(file)
    found = read_image(file, Reading(pages="frames"))
    np.testing.assert_array_equal(found.array[..., 0], np.moveaxis(movie, -1, 0)[:, ::-1, ::-1])
    assert found.frames
    _write(file, movie, space_directions=directions, kinds=["domain"] * 3 + ["list"])
    found = read_image(file)
    assert found.array.shape == (4, 5, 6, 3)
    assert [note.startswith("an axis of a NRRD that is no space") for note in found.notes] == [True]
    assert read_image(file, Reading(pages="frames")).frames


@pytest.mark.formats_row(
    "Images",
    "NRRD",
    "pynrrd",
    "a header with its data beside it (`.nhdr`)",
    "as one file; data in another folder or several files are refused",
)
def test_a_detached_header_reads_the_file_beside_it_and_no_other(tmp_path):
    nrrd.write(str(tmp_path / "a.nhdr"), VOLUME, PLACED, detached_header=True)
    found = read_image(tmp_path / "a.nhdr")
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[::-1, ::-1])
    text = (tmp_path / "a.nhdr").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("data file")]
    for named in ("../a.raw", str(tmp_path / "secret"), "LIST", "a%03d.raw 1 2 1", ".."):
        (tmp_path / "a.nhdr").write_text(text.replace(line, f"data file: {named}"))
        with pytest.raises(DataError, match=r"a\.nhdr: (names .* beside it|its data are in several files)"):
            read_image(tmp_path / "a.nhdr")
    (tmp_path / "a.nhdr").write_text(text.replace(line, "data file: lost.raw"))
    with pytest.raises(DataError, match=r"a\.nhdr: its data, lost\.raw, are not beside it"):
        read_image(tmp_path / "a.nhdr")


@pytest.mark.parametrize("kind", [".nrrd", ".nhdr", ".seg.nrrd"])
@pytest.mark.parametrize("length", [0, 3, 40, -20, -1])
def test_what_is_cut_short_or_damaged_is_one_line(tmp_path, length, kind):
    content = _write(tmp_path / "a.nrrd").read_bytes()
    (tmp_path / f"b{kind}").write_bytes(content[:length])
    with pytest.raises(DataError, match=rf"b\{kind}: is no readable NRRD; it is damaged or cut short") as error:
        read_image(tmp_path / f"b{kind}")
    assert "\n" not in str(error.value)


def test_a_size_that_is_only_claimed_takes_no_memory(tmp_path):
    head = "type: short\ndimension: 3\nsizes: 4 5 {}\nencoding: gzip\nendian: little"
    huge = _written(tmp_path / "a.nrrd", head.format(10**15), b"")
    with pytest.raises(DataError, match="says that it holds"):
        read_image(huge)
    # 64 MiB of zeros in 64 KiB, for an array of 240 bytes
    bomb = _written(tmp_path / "b.nrrd", head.format(6), gzip.compress(bytes(2**26)))
    with pytest.raises(DataError, match="is no readable NRRD"):
        read_image(bomb)
    assert read_image(_written(tmp_path / "c.nrrd", head.format(6), gzip.compress(bytes(240)))).array.max() == 0


def test_other_numbers_than_integers_and_floats_are_refused(tmp_path):
    head = "type: block\nblock size: 4\ndimension: 2\nsizes: 4 5\nencoding: raw\nendian: little"
    with pytest.raises(DataError, match="a.nrrd: is no readable NRRD"):
        read_image(_written(tmp_path / "a.nrrd", head, bytes(80)))


def test_labels_of_a_plain_nrrd_are_a_mask(tmp_path):
    labels = (VOLUME % 3).astype(np.uint8)
    found = read_mask(_write(tmp_path / "a.nrrd", labels))
    np.testing.assert_array_equal(found.array, labels[::-1, ::-1])
    assert not found.partial
