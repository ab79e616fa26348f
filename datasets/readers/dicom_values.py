"""The values of DICOM pixels: decoded, rescaled, and dark where they are shown dark."""

from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from .dicom_planes import group
from .extras import required

INVERTED = "the lowest value is shown white (MONOCHROME1), so values were mirrored within the range of their bits"

_COLOURS = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


def decoded(data: Any, file: Path) -> np.ndarray:
    """Stored samples (frames, rows, columns, c), colours as RGB. Raises DataError."""
    pixels = required("pydicom.pixels", "unetbench[dicom]", "DICOM")
    colours = str(data.get("PhotometricInterpretation", ""))
    if colours not in _COLOURS:
        raise DataError(f"{file}: its colours are {colours or 'not stated'}; save it as grey or RGB")
    try:
        array = pixels.pixel_array(data)
    except Exception as error:  # pydicom and its decoders promise no list
        raise _undecoded(data, file, error) from None
    frames, channels = int(data.get("NumberOfFrames", 1) or 1), int(data.get("SamplesPerPixel", 1))
    return array.reshape(frames, int(data.Rows), int(data.Columns), channels)


def rescaled(data: Any, stored: np.ndarray, frame: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Stored samples (..., c) of a frame as the quantities that the file says they are, and what to note.

    Integers where slope and intercept are whole, of 16 bits where these hold them; else float32.
    """
    notes: tuple[str, ...] = ()
    if data.PhotometricInterpretation == "MONOCHROME1":
        low = -(2 ** (int(data.BitsStored) - 1)) if data.PixelRepresentation else 0
        stored = (2 * low + 2 ** int(data.BitsStored) - 1 - stored.astype(np.int64)).astype(stored.dtype)
        notes = (INVERTED,)
    if data.get("ModalityLUTSequence"):
        pixels = required("pydicom.pixels", "unetbench[dicom]", "DICOM")
        return pixels.apply_modality_lut(stored, data), notes
    own = data
    if frame:
        groups = [data.PerFrameFunctionalGroupsSequence[frame - 1], data.SharedFunctionalGroupsSequence[0]]
        own = group(groups, "PixelValueTransformationSequence") or data
    slope, intercept = float(own.get("RescaleSlope", 1) or 1), float(own.get("RescaleIntercept", 0) or 0)
    if (slope, intercept) == (1, 0):
        return stored, notes
    if not (slope.is_integer() and intercept.is_integer()):
        return (stored.astype(np.float64) * slope + intercept).astype(np.float32), notes
    values = stored.astype(np.int64) * int(slope) + int(intercept)
    small = np.iinfo(np.int16)
    fits = small.min <= values.min(initial=0) and values.max(initial=0) <= small.max
    return values.astype(np.int16 if fits else np.int32), notes


def _undecoded(data: Any, file: Path, error: Exception) -> DataError:
    syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
    if isinstance(error, RuntimeError) and syntax is not None and syntax.is_compressed:
        return DataError(
            f"{file}: is packed as {syntax.name}, for which no decoder is installed; pip install pylibjpeg "
            "pylibjpeg-libjpeg pylibjpeg-openjpeg, or unpack it (dcmdjpeg, gdcmconv --raw)"
        )
    return DataError(f"{file}: is no readable DICOM; it is damaged or cut short ({one_line(error)})")
