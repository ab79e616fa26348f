#!/usr/bin/env bash
# nibabel 5.4.2 beside SimpleITK 2.5.7: a NIfTI file that states no orientation (qform_code = sform_code = 0, which the
# standard allows as its method 1) has its y axis in opposite directions, and another origin. What SimpleITK writes of such
# an image states its own reading as fact, so that image and mask are mirrored to each other in nibabel.
#
# Expected: both take the file for the same orientation, or the copy of a file has the orientation of the file.
# Seen:                                         axes   voxel (0, 3, 2) lies at, right-anterior-superior
#           the file, in nibabel                LAS    (3.0, 2.0, -1.0)
#           the file, in SimpleITK              LPS    (0.0, -6.0, 4.0)
#           SimpleITK's copy, in nibabel        LPS    (0.0, -6.0, 4.0)
#           Brought to RAS+ with nibabel.as_closest_canonical, the one voxel set is [3, 3, 2] in the file and [3, 1, 2] in
#           the copy, whose arrays are equal.
# Why:      nibabel takes the convention of Analyze files, x to the left and the volume's centre as origin; ITK takes its
#           own axes as they are, x to the left and y to the back, and the first voxel as origin.
# Fails when an orientation or a place changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  nibabel==5.4.2 SimpleITK==2.5.7 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import nibabel as nib
import numpy as np
import SimpleITK

voxel = (0, 3, 2)
array = np.zeros((4, 5, 6), np.uint8)
array[voxel] = 1
image = nib.Nifti1Image(array, None)
image.header.set_zooms((2, 2, 2))
nib.save(image, "file.nii")
SimpleITK.WriteImage(SimpleITK.ReadImage("file.nii"), "copy.nii")


def in_nibabel(name):
    image = nib.load(name)
    place = tuple(float(x) for x in image.affine @ (*voxel, 1))[:3]
    return "".join(nib.aff2axcodes(image.affine)), place


def in_simpleitk(name):
    image = SimpleITK.ReadImage(name)
    axes = SimpleITK.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    x, y, z = image.TransformIndexToPhysicalPoint(voxel)
    return axes, (0.0 - x, 0.0 - y, z)  # ITK's axes point left and back, nibabel's right and forward


file, copy = nib.load("file.nii"), nib.load("copy.nii")
assert int(file.header["qform_code"]) == int(file.header["sform_code"]) == 0
for name, found, expected in (
    ("the file, in nibabel", in_nibabel("file.nii"), ("LAS", (3, 2, -1))),
    ("the file, in SimpleITK", in_simpleitk("file.nii"), ("LPS", (0, -6, 4))),
    ("SimpleITK's copy, in nibabel", in_nibabel("copy.nii"), ("LPS", (0, -6, 4))),
):
    print(f"{name}: {found}")
    assert found[0] == expected[0] and np.allclose(found[1], expected[1]), f"changed from {expected}"
assert np.array_equal(file.dataobj, copy.dataobj)
places = [np.argwhere(np.asarray(nib.as_closest_canonical(image).dataobj)).tolist() for image in (file, copy)]
print(f"the voxel set, in RAS+: {places[0]} in the file, {places[1]} in its copy")
assert places == [[[3, 3, 2]], [[3, 1, 2]]], "changed"
PYTHON
echo "as described"
