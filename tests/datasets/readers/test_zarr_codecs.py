"""Chunks of a Zarr array are unpacked by codecs that hold numbers only."""

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.readers.zarr_codecs import foreign_codec


@pytest.mark.parametrize(
    "metadata",
    [
        {"zarr_format": 2, "compressor": None, "filters": None},
        {"zarr_format": 2, "compressor": {"id": "blosc", "cname": "lz4"}, "filters": [{"id": "delta"}]},
        {"zarr_format": 3, "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 0}}]},
        {"zarr_format": 3, "codecs": [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "bytes"}]}}]},
        {"zarr_format": 3, "codecs": [{"name": "numcodecs.delta"}, {"name": "bytes"}]},
    ],
)
def test_codecs_of_numbers_are_known(metadata):
    assert foreign_codec(metadata) == ""


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"zarr_format": 2, "compressor": {"id": "pickle"}, "filters": None}, "pickle"),
        ({"zarr_format": 2, "compressor": None, "filters": [{"id": "delta"}, {"id": "json2"}]}, "json2"),
        ({"zarr_format": 3, "codecs": [{"name": "numcodecs.pickle"}]}, "numcodecs.pickle"),
        (
            {"codecs": [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "vlen-utf8"}]}}]},
            "vlen-utf8",
        ),
        (
            {"codecs": [{"name": "sharding_indexed", "configuration": {"index_codecs": [{"name": "mine"}]}}]},
            "mine",
        ),
        ({"compressor": {"level": 1}}, "None"),
    ],
)
def test_any_other_codec_is_named(metadata, name):
    assert foreign_codec(metadata) == name


def test_an_image_that_is_packed_by_such_a_codec_is_refused_unread(tmp_path):
    zarr = pytest.importorskip("zarr", reason="OME-Zarr is an extra")
    numcodecs = pytest.importorskip("numcodecs")
    from unetbench.datasets.readers.ome_zarr import open_ome_zarr

    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    axes, level = [{"name": name, "type": "space"} for name in "yx"], {"path": "0", "coordinateTransformations": []}
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [level]}]
    group.create_array("0", shape=(4, 4), chunks=(4, 4), dtype=np.uint8, filters=[numcodecs.Base64()])
    with pytest.raises(
        DataError, match=r"a\.zarr: is packed by the codec base64, which is not read; save it anew with zstd"
    ):
        open_ome_zarr(tmp_path / "a.zarr")
