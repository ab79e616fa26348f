"""Label masks, objects and probabilities as files of the format, the geometry and the physical size of their image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np

from ...core.errors import StoreError
from ...core.files import written_aside
from ...datasets.readers import Page, from_ras
from ...datasets.readers.nrrd import grid_fields
from .grid_files import write_metaimage, write_nrrd
from .inputs import ZARR
from .ome_zarr import ZarrOutput
from .source import Source

_NIFTI, _TIFF, _NUMPY = (".nii", ".nii.gz"), (".tif", ".tiff"), (".npy", ".npz")
_NRRD, _METAIMAGE = (".nrrd", ".nhdr", ".seg.nrrd"), (".mha", ".mhd")
_ORIENTATION, _TRANSPOSED = 274, (5, 6, 7, 8)
_IMAGEJ_TYPES = (np.uint8, np.uint16, np.float32)


def suffix_of(kind: str, dtype: np.dtype, channels: int = 1) -> str:
    """The suffix of an output of images of a suffix: that of NIfTI and TIFF, .npy for NumPy's, else .png.

    Of NRRD and MetaImage it is that of one file (.nrrd, .mha).

    What PNG does not hold, more than 65535 objects or probabilities, is TIFF.
    """
    if kind == ZARR:
        return ".ome.zarr"
    if kind in _NIFTI:
        return kind
    if kind in _NUMPY:
        return ".npy"
    if kind in (*_NRRD, *_METAIMAGE):
        return ".nrrd" if kind in _NRRD else ".mha"
    return ".tif" if kind in _TIFF or channels > 1 or dtype not in (np.uint8, np.uint16) else ".png"


def write_array(target: Path, source: Source, array: np.ndarray, channels: Sequence[str] = ()) -> None:
    """Write an array (t, *space) or (*space), in the order of axes in which the source was read; k last with channels.

    NIfTI, NRRD and MetaImage: in the file's own orientation, with its affine and units. TIFF: with its resolution, or
    its sizes as ImageJ or OME-XML state them; upright, as the image was shown. OME-Zarr: with its axes, scale and
    origin. Channels come fourth in a NIfTI, before y and x in a TIFF and before space in an OME-Zarr; in NRRD and
    MetaImage they are vectors. DICOM: volumes as NIfTI in RAS+, in millimetres of the patient; other images as PNG.

    The file is there whole or not at all. Raises StoreError when it cannot be written.
    """
    writer = _WRITERS.get(source.kind, _picture)
    try:
        with written_aside(target) as aside:
            writer(aside, source, array, channels)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written: {error.strerror or error}") from None


def in_file_order(source: Source, array: np.ndarray) -> np.ndarray:
    """An array (*space, ...) of the whole as the voxels of its output lie: of its file, RAS+ for volumes of DICOM."""
    if not source.orientation or source.kind != source.entry.kind:
        return array
    return np.ascontiguousarray(from_ras(array, source.orientation, frames=source.frames))


def _zarr(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    assert source.zarr is not None  # as its suffix says
    output = ZarrOutput(aside, source.zarr, array.dtype, channels)
    space = array.shape[source.frames : array.ndim - bool(channels)]
    for frame in range(len(array) if source.frames else 1):
        whole = tuple(slice(0, edge) for edge in space)
        output.put(Page(frame, None), whole, array[frame] if source.frames else array)


def _plain(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    with aside.open("wb") as content:
        np.save(content, array)


def _nifti(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    import nibabel

    if source.kind != source.entry.kind:  # of DICOM
        made = nibabel.Nifti1Image(array, source.affine)
        made.header.set_xyzt_units("mm")
        nibabel.save(made, aside)
        return
    read: Any = nibabel.load(source.entry.file)
    array = in_file_order(source, array)
    if source.frames:
        array = np.moveaxis(array, 0, 3)
    if len(read.shape) == 2 and array.shape[2] == 1:
        array = array[:, :, 0]
    header = read.header.copy()
    header.extensions.clear()
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    header["descrip"] = b""
    made = type(read)(array, None, header)
    nibabel.save(made, aside)


def _picture(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    if aside.suffix == ".png":
        _, content = cv2.imencode(".png", array)
        aside.write_bytes(content.tobytes())
    else:
        _tiff(aside, source, array, channels)


def _tiff(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    import tifffile

    axes = "T" * source.frames + "Z" * (len(source.shape) - source.frames == 3)
    if channels:
        array, axes = np.moveaxis(array, -1, len(axes)), axes + "C"
    options: dict[str, Any] = {"ome": False}
    metadata: dict[str, Any] = {"axes": f"{axes}YX"}
    if source.entry.kind in _TIFF:
        stated, sizes = _stated(source, array.dtype)
        options, metadata = options | stated, metadata | sizes
    if channels and options.get("ome"):
        metadata["Channel"] = {"Name": list(channels)}
    tifffile.imwrite(
        aside,
        np.ascontiguousarray(array),
        photometric="minisblack",
        compression=None if options.get("imagej") else "zlib",
        metadata=metadata,
        **options,
    )


def _stated(source: Source, dtype: np.dtype) -> tuple[dict[str, Any], dict[str, Any]]:
    """How tifffile is to write what a TIFF says of the size of its pixels: its options and its metadata."""
    import tifffile

    with tifffile.TiffFile(source.entry.file) as opened:
        page: Any = opened.pages.first
        tags, turned = page.tags, source.exif and page.tags.valueof(_ORIENTATION, 1) in _TRANSPOSED
        across, down = (tags.valueof(name, None) for name in ("XResolution", "YResolution"))
        if turned:
            across, down = down, across
        resolution = {"resolution": (across, down)} if across and down and across[1] and down[1] else {}
        if opened.is_ome:
            return {"ome": True, **resolution}, _ome_sizes(opened.ome_metadata or "", turned)
        if resolution:
            resolution["resolutionunit"] = tags.valueof("ResolutionUnit", 2)
        if not opened.is_imagej:
            return resolution, {}
        known = opened.imagej_metadata or {}
    metadata = {
        name: known[name] for name in ("unit", "yunit", "zunit", "spacing", "finterval", "fps") if name in known
    }
    if dtype in _IMAGEJ_TYPES:
        return {"imagej": True, **resolution}, metadata
    edges = source.spacing_mm or ()
    sizes = {f"PhysicalSize{letter}": edge * 1e3 for letter, edge in zip("XYZ", reversed(edges), strict=False)}
    return {"ome": True}, sizes | {f"{name}Unit": "µm" for name in sizes}


def _ome_sizes(text: str, turned: bool) -> dict[str, Any]:
    """The sizes that the OME-XML of a file states, with their units."""
    try:
        elements = ElementTree.fromstring(text).iter()
    except ElementTree.ParseError:  # the reader noted it
        return {}
    pixels = next((element.attrib for element in elements if element.tag.endswith("Pixels")), {})
    found: dict[str, Any] = {}
    for letter, own in zip("XYZ", "YXZ" if turned else "XYZ", strict=True):
        if f"PhysicalSize{own}" in pixels:
            found[f"PhysicalSize{letter}"] = float(pixels[f"PhysicalSize{own}"])
            found[f"PhysicalSize{letter}Unit"] = pixels.get(f"PhysicalSize{own}Unit", "µm")
    return found


def _nrrd(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    write_nrrd(aside, _columns_first(source, array), grid_fields(source.entry.file), channels, frames=source.frames)


def _metaimage(aside: Path, source: Source, array: np.ndarray, channels: Sequence[str]) -> None:
    write_metaimage(aside, _columns_first(source, array), source.entry.file, channels, frames=source.frames)


def _columns_first(source: Source, array: np.ndarray) -> np.ndarray:
    """(t,) x, y, (z,) (k) as the file has them, of whose images rows were put first."""
    return array.swapaxes(0, 1) if len(source.shape) == 2 else in_file_order(source, array)


_WRITERS = {
    ZARR: _zarr,
    **dict.fromkeys(_NIFTI, _nifti),
    **dict.fromkeys(_NUMPY, _plain),
    **dict.fromkeys(_NRRD, _nrrd),
    **dict.fromkeys(_METAIMAGE, _metaimage),
}
"""By the suffix of images; all others are pictures."""
