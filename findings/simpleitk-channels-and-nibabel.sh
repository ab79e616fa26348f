#!/usr/bin/env bash
# SimpleITK 2.5.7 beside nibabel 5.4.2: channels in NIfTI are another axis for each of them. What SimpleITK writes has five
# axes in nibabel, and what nibabel users write with four is a scalar image of four dimensions in SimpleITK.
#
# Expected: a volume with two channels has its channels in the fourth axis in nibabel, and two components in SimpleITK.
# Seen:     SimpleITK's vector image (3 channels, 5 × 4 × 3 voxels) in nibabel:   shape (5, 4, 3, 1, 3), intent vector
#           the same in two dimensions (5 × 4 pixels):                            shape (5, 4, 1, 1, 3), intent vector
#           nibabel's (5, 4, 3, 3) in SimpleITK, without or with intent vector:   size (5, 4, 3, 3), 1 component
#           nibabel's (5, 4, 3, 1, 3) in SimpleITK, with intent none:             size (5, 4, 3, 1, 3), 1 component
#                                                   with intent vector:           size (5, 4, 3), 3 components 1 2 3
#                                                   with "displacement vector":   size (5, 4, 3), 3 components -1 -2 3
# Why:      NIfTI keeps the fourth axis for time and the fifth for the values of a voxel, and ITK keeps to it; most who save
#           channels with nibabel do not. ITK turns displacements, and no other vectors, from RAS to its own LPS.
# Fails when a shape, a number of components or a sign changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import nibabel as nib
import numpy as np
import SimpleITK

for shape, expected in (((3, 4, 5), (5, 4, 3, 1, 3)), ((4, 5), (5, 4, 1, 1, 3))):
    array = np.broadcast_to(np.float32([1, 2, 3]), (*shape, 3)).copy()
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array, isVector=True), "vector.nii")
    found = nib.load("vector.nii")
    intent = found.header.get_intent()[0]
    print(f"SimpleITK's vectors, {len(shape)}D, in nibabel: shape {found.shape}, intent {intent}")
    assert (found.shape, intent) == (expected, "vector"), "changed"

five = np.broadcast_to(np.float32([1, 2, 3]), (5, 4, 3, 1, 3)).copy()
for array, intent, expected in (
    (five[:, :, :, 0], "none", ((5, 4, 3, 3), 1, None)),
    (five[:, :, :, 0], "vector", ((5, 4, 3, 3), 1, None)),
    (five, "none", ((5, 4, 3, 1, 3), 1, None)),
    (five, "vector", ((5, 4, 3), 3, [1, 2, 3])),
    (five, "displacement vector", ((5, 4, 3), 3, [-1, -2, 3])),
):
    image = nib.Nifti1Image(array, np.eye(4))
    image.header.set_intent(intent)
    nib.save(image, "file.nii")
    read = SimpleITK.ReadImage("file.nii")
    components = read.GetNumberOfComponentsPerPixel()
    values = [round(value) for value in read.GetPixel(0, 0, 0)] if components > 1 else None
    found = read.GetSize(), components, values
    print(f"nibabel's {array.shape}, intent {intent}, in SimpleITK: size {found[0]}, components {components}, {values}")
    assert found == expected, f"changed from {expected}"
PYTHON
echo "as described"
