"""A size that a picture only claims takes no memory."""

import gzip
import struct
import zlib

import cv2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, pages_in, read_image, read_mask, sizes
from unetbench.datasets.readers.sizes import claimed

GREY = np.arange(63, dtype=np.uint8).reshape(7, 9)
MILLION = 10**6


def _write(file):
    if file.suffix in (".gif", ".webp"):
        Image.fromarray(GREY).save(file)
    elif file.suffix == ".jp2":
        import imagecodecs

        file.write_bytes(imagecodecs.jpeg2k_encode(GREY))
    else:
        cv2.imwrite(str(file), GREY)
    return file


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.gif", "a.jp2", "a.pgm"])
def test_the_head_of_a_picture_says_its_width_and_height(tmp_path, name):
    assert claimed(_write(tmp_path / name).read_bytes()) == (9, 7)


def test_what_says_no_size_says_none(tmp_path):
    assert claimed(b"") is None
    assert claimed(b"\x89PNG\r\n\x1a\n") is None
    assert claimed(b"P2 nine seven") is None
    assert claimed(_write(tmp_path / "a.webp").read_bytes()) is None


def _png(width, height):
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [head, b"IDAT" + zlib.compress(bytes(10)), b"IEND"]
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def _bmp(width, height):
    content = bytearray(cv2.imencode(".bmp", GREY)[1].tobytes())
    struct.pack_into("<ii", content, 18, width, height)
    return bytes(content)


def _pgm(width, height):
    return b"P5\n%d %d\n255\n" % (width, height) + bytes(10)


@pytest.mark.parametrize("read", [read_image, read_mask])
@pytest.mark.parametrize(("name", "make"), [("a.png", _png), ("a.bmp", _bmp), ("a.pgm", _pgm)])
def test_a_million_times_a_million_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch, name, make, read):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    (tmp_path / name).write_bytes(make(MILLION, MILLION))
    with pytest.raises(DataError, match=r"says that it has 1000000 × 1000000 pixels; pictures of up to 2\^30 are read"):
        read(tmp_path / name)


def test_a_jpeg_2000_of_a_million_times_a_million_pixels_is_refused_before_it_is_decoded(tmp_path):
    content = bytearray(_write(tmp_path / "a.jp2").read_bytes())
    struct.pack_into(">II", content, content.find(b"\xff\x51") + 6, MILLION, MILLION)
    (tmp_path / "a.jp2").write_bytes(content)
    with pytest.raises(DataError, match=r"says that it holds \(1000000, 1000000, 8\), .* of memory; if it is not so"):
        read_image(tmp_path / "a.jp2")


def test_a_gif_that_is_too_short_for_its_size_is_refused_before_it_is_decoded(tmp_path):
    content = bytearray(_write(tmp_path / "a.gif").read_bytes())
    struct.pack_into("<HH", content, 6, 60000, 60000)
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(DataError, match="says that it has 60000 × 60000 pixels and is too short for them"):
        read_image(tmp_path / "a.gif")


def test_a_gif_of_one_colour_is_not_taken_for_too_short(tmp_path):
    Image.fromarray(np.zeros((2000, 2000), np.uint8)).save(tmp_path / "a.gif")
    assert read_image(tmp_path / "a.gif").array.shape == (2000, 2000, 1)


def test_a_tiff_of_a_million_times_a_million_pixels_is_refused_before_memory_is_taken(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as opened:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            opened.pages.first.tags[name].overwrite(MILLION, dtype="I")
    with pytest.raises(DataError, match=r"says that it holds .*1000000, 1000000\), .* of memory"):
        read_image(tmp_path / "a.tif")


def test_a_packed_nifti_of_more_voxels_than_fit_is_refused_before_memory_is_taken(tmp_path):
    content = bytearray(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.uint8), np.eye(4)).to_bytes())
    struct.pack_into("<3h", content, 42, 32767, 32767, 32767)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=r"says that it holds \(32767, 32767, 32767\), .* of memory"):
        read_image(tmp_path / "a.nii.gz")


def test_a_head_that_claims_very_many_pages_is_refused_before_they_are_listed(tmp_path):
    content = bytearray(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.uint8), np.eye(4)).to_bytes())
    struct.pack_into("<5h", content, 40, 4, 2, 3, 32767, 32767)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.nii: says that it has 1,073,676,289 pages; if"):
        pages_in(tmp_path / "a.nii", Reading(mask=True, pages="cases"))


def test_a_picture_that_does_not_fit_into_this_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "memory_bytes", lambda: 100)
    with pytest.raises(DataError, match=r"says that it holds \(7, 9, 4\)"):
        read_image(_write(tmp_path / "a.png"))


def test_memory_that_runs_out_while_decoding_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(cv2, "imdecode", full)
    with pytest.raises(DataError, match=r"a\.png: does not fit into memory"):
        read_image(_write(tmp_path / "a.png"))


def test_whatever_a_decoder_raises_is_one_line_that_names_the_file(tmp_path, monkeypatch):
    def broken(*_):
        raise cv2.error("an assertion of its own\nfailed")

    monkeypatch.setattr(cv2, "imdecode", broken)
    with pytest.raises(DataError, match=r"a\.png: is not decoded by OpenCV; it is damaged or too large") as caught:
        read_image(_write(tmp_path / "a.png"))
    assert "\n" not in str(caught.value)


def test_xml_that_defines_entities_is_not_parsed(tmp_path):
    text = '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "b">]><OME xmlns="http://www.openmicroscopy.org">&a;</OME>'
    tifffile.imwrite(tmp_path / "a.tif", GREY, description=text, metadata=None)
    with pytest.raises(DataError, match="its OME-XML defines entities, which no microscope does"):
        read_image(tmp_path / "a.tif")
