"""Volumes as nibabel writes them, the same one in any orientation, and DICOM series as pydicom does."""

import sys

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

AFFINE = np.array([[0.5, 0, 0, -20], [0, 1, 0, 30], [0, 0, 3, 7], [0, 0, 0, 1]])
"""Of an upright volume: edges of 0.5, 1 and 3 mm."""


@pytest.fixture
def write_volume():
    """A function that writes an array in RAS+, its voxels at the same places, as a file of another orientation has it.

    form: which of `sform` and `qform` has a code; any other text: none has.
    """

    def write(file, array, orientation="RAS", affine=AFFINE, *, form="sform", unit="mm"):
        file.parent.mkdir(parents=True, exist_ok=True)
        turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
        placed = affine @ inv_ornt_aff(turn, array.shape[:3])
        volume = nibabel.Nifti1Image(apply_orientation(array, turn), placed)
        volume.set_sform(placed, int(form == "sform"))
        volume.set_qform(placed, int(form == "qform"))
        volume.header.set_xyzt_units(unit)
        nibabel.save(volume, file)
        return file

    return write


@pytest.fixture
def write_series():
    """A function that writes an array (columns, rows, slices) as a DICOM series, a file a slice, in no order.

    affine: from its indices to millimetres in LPS. fields: of every slice, or, where they are functions of the slice's
    number, of each.
    """
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    def write(folder, array, affine, **fields):
        folder.mkdir(parents=True, exist_ok=True)
        series, study, frame = generate_uid(), generate_uid(), generate_uid()
        edges = np.linalg.norm(affine[:3, :3], axis=0)
        count = array.shape[2]
        shuffled = np.random.default_rng(1).permutation(count)
        for k in range(count):
            data = Dataset()
            data.file_meta = FileMetaDataset()
            data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
            data.PatientID, data.PatientName, data.StudyID, data.AccessionNumber = "1", "A^B", "1", ""
            data.PatientBirthDate = data.PatientSex = data.StudyDate = data.StudyTime = ""
            data.ReferringPhysicianName, data.SeriesNumber = "", 4
            data.InstanceNumber = int(shuffled[k]) + 1
            data.ImagePositionPatient = [float(f"{x:.10g}") for x in affine[:3, 3] + k * affine[:3, 2]]
            turn = np.concatenate([affine[:3, 0] / edges[0], affine[:3, 1] / edges[1]])
            data.ImageOrientationPatient = [float(f"{x:.10g}") for x in turn]
            data.PixelSpacing = [float(f"{edges[1]:.10g}"), float(f"{edges[0]:.10g}")]
            data.SliceThickness = float(f"{edges[2]:.10g}")
            data.Rows, data.Columns, data.SamplesPerPixel = array.shape[1], array.shape[0], 1
            data.PhotometricInterpretation = "MONOCHROME2"
            data.BitsAllocated = data.BitsStored = array.dtype.itemsize * 8
            data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(array.dtype.kind == "i")
            data.RescaleSlope, data.RescaleIntercept = 1, 0
            data.PixelData = np.ascontiguousarray(array[..., k].T).tobytes()
            for name, value in fields.items():
                setattr(data, name, value(k) if callable(value) else value)
            pydicom.dcmwrite(folder / f"IM{(7 * int(shuffled[k])) % 97:03}", data, enforce_file_format=True)
        return folder

    return write


@pytest.fixture(autouse=True)
def float32_policy():
    """What a test trains or opens in half precision leaves no precision behind for the next one."""
    yield
    keras = sys.modules.get("keras")
    if keras is not None and keras.config.dtype_policy().name != "float32":
        keras.config.set_dtype_policy("float32")
