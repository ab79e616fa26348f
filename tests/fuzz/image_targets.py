"""Readers of images and of arrays."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import files
from hypothesis import strategies as st
from mutations import altered, mutated
from prepared import Prepared, archive, first, tried


def _picture(suffix: str, seeds: Callable[[], list[bytes]], sound: Callable[[bytes], bytes] = bytes) -> Prepared:
    """A format of images and masks. sound: makes checksums right, which then happens to half of the inputs."""
    from unetbench.datasets.readers import Reading, pages_in, read_image, read_mask

    valid = seeds()
    readings = [Reading(), Reading("last"), Reading("none", pages="cases"), Reading(pages="frames"), Reading("first")]
    readings += [Reading(exif="ignore", colours=True), Reading(threshold=0.5)]
    drawn = mutated(valid)
    inputs = st.tuples(drawn if sound is bytes else drawn | drawn.map(sound), st.sampled_from(readings))

    def read(folder: Path, drawn: tuple[bytes, Any]) -> object:
        content, reading = drawn
        file = folder / f"input{suffix}"
        file.write_bytes(content)
        acts = [lambda: read_image(file, reading), lambda: read_mask(file, reading)]
        acts += [lambda: pages_in(file, reading)] if reading.pages != "volume" else []
        return first([tried(act) for act in acts])

    return Prepared(inputs, read, [(content, Reading()) for content in valid])


def _png() -> Prepared:
    """Also with rows changed before they were compressed, which the format's own checksums would not let through."""
    plain = _picture(".png", files.png, files.with_checksums)
    inside = [
        mutated([files.filtered_rows(content)]).map(partial(files.with_rows, content)) for content, _ in plain.valid
    ]
    return Prepared(plain.inputs | st.tuples(st.one_of(inside), st.just(plain.valid[0][1])), plain.read, plain.valid)


def _packed_nifti() -> Prepared:
    plain = _picture(".nii.gz", lambda: [files.gzipped(content) for content in files.nifti()])
    inside = st.tuples(mutated(files.nifti()).map(files.gzipped), st.just(plain.valid[0][1]))
    return Prepared(plain.inputs | inside, plain.read, plain.valid)


def _npz() -> Prepared:
    from unetbench.datasets.readers import Reading, read_image, read_mask

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        acts = [lambda: read_image(file, Reading(array="image")), lambda: read_mask(file)]
        return first([tried(act) for act in acts])

    return archive(files.npz(), read)


def _rows() -> Prepared:
    from unetbench.datasets.readers.rows import Rows

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        found = Rows(file, "train_images")
        return [found[index] for index in range(min(len(found), 4))]

    return archive(files.rows(), read)


def ome_zarr() -> Prepared:
    import json
    import shutil

    import numpy as np
    import zarr

    from unetbench.datasets.readers.ome_zarr import WHOLE, open_ome_zarr

    made: dict[str, Any] = {}
    group = zarr.open_group(made, mode="w", zarr_format=3)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 0.5]}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    group.create_array("0", data=np.arange(63, dtype=np.uint8).reshape(7, 9), chunks=(4, 4))
    whole = {name: bytes(buffer.to_bytes()) for name, buffer in made.items()}
    described = sorted(name for name in whole if name.endswith("zarr.json"))

    @st.composite
    def inputs(draw: Callable[..., Any]) -> dict[str, bytes]:
        name = draw(st.sampled_from(described) | st.sampled_from(sorted(whole)))
        if name in described and draw(st.booleans()):
            changed = json.dumps(draw(altered([json.loads(whole[name])]))).encode()
        else:
            changed = draw(mutated([whole[name]]))
        return {**whole, name: changed}

    def read(folder: Path, content: dict[str, bytes]) -> object:
        home = folder / "input.zarr"
        shutil.rmtree(home, ignore_errors=True)
        for name, part in content.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(part)
        image = open_ome_zarr(home).image(WHOLE)
        return image[tuple(slice(0, min(edge, 64)) for edge in image.shape[:-1])]

    return Prepared(inputs(), read, [whole])


PICTURES = {
    "png": _png,
    "jpeg": lambda: _picture(".jpg", files.jpeg),
    "bmp": lambda: _picture(".bmp", files.bmp),
    "webp": lambda: _picture(".webp", files.webp),
    "gif": lambda: _picture(".gif", files.gif),
    "jpeg2000": lambda: _picture(".jp2", files.jpeg2000),
    "netpbm": lambda: _picture(".pgm", files.netpbm),
    "tiff": lambda: _picture(".tif", files.tiff),
    "nifti": lambda: _picture(".nii", files.nifti),
    "nifti_gz": _packed_nifti,
    "npy": lambda: _picture(".npy", files.npy),
    "npz": _npz,
    "npz_rows": _rows,
}
"""By format."""
