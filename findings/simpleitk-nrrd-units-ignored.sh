#!/usr/bin/env bash
# SimpleITK 2.5.7 takes the micrometres of a NRRD for millimetres: it does not look at `space units`, and drops them from
# a copy. Of a NIfTI it converts them.
#
# Expected: a NRRD with edges of 500, 1000 and 3000 and the space units "um" has voxels of 0.5 × 1 × 3 mm in SimpleITK, as a
#           NIfTI has that states the same in its unit micron; or its units are kept, or an error or a warning is given.
# Seen:     NIfTI, micron:              spacing 0.5, 1, 3
#           NRRD, space units "um":     spacing 500, 1000, 3000; no metadata and no warning says so
#           its copy as NRRD:           the same numbers, no space units
#           its copy as NIfTI:          500, 1000, 3000 mm
# Why:      ITK's NrrdImageIO reads `space directions` and `space origin` and does not look at nrrd->spaceUnits; ITK has
#           millimetres alone, to which NiftiImageIO converts by xyzt_units.
# Fails when a spacing or a unit changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  SimpleITK==2.5.7 nibabel==5.4.2 pynrrd==1.1.3 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import nibabel
import nrrd
import numpy as np
import SimpleITK

array, edges = np.zeros((3, 4, 5), np.int16), (500.0, 1000.0, 3000.0)
image = nibabel.Nifti1Image(array, np.diag([*edges, 1]))
image.header.set_xyzt_units("micron")
nibabel.save(image, "a.nii")
fields = {"space": "left-posterior-superior", "space directions": np.diag(edges), "space origin": np.zeros(3)}
nrrd.write("a.nrrd", array, {**fields, "space units": ["um", "um", "um"]})
print("written:", open("a.nrrd", "rb").read().split(b"space units: ")[1].split(b"\n")[0].decode())

found = SimpleITK.ReadImage("a.nii").GetSpacing()
print("NIfTI, micron, in SimpleITK:", found)
assert np.allclose(found, (0.5, 1, 3)), "changed"

read = SimpleITK.ReadImage("a.nrrd")
said = [key for key in read.GetMetaDataKeys() if "unit" in key.lower()]
print("NRRD, space units um, in SimpleITK:", read.GetSpacing(), "metadata about units:", said)
assert read.GetSpacing() == edges and not said, "changed"

SimpleITK.WriteImage(read, "copy.nrrd")
header = nrrd.read_header("copy.nrrd")
print("its copy as NRRD: space units", header.get("space units"), "edges", np.diag(header["space directions"]))
assert "space units" not in header and np.allclose(np.diag(header["space directions"]), edges), "changed"

SimpleITK.WriteImage(read, "copy.nii")
copy = nibabel.load("copy.nii").header
print("its copy as NIfTI:", copy.get_zooms(), copy.get_xyzt_units()[0])
assert np.allclose(copy.get_zooms(), edges) and copy.get_xyzt_units()[0] == "mm", "changed"
PYTHON
echo "as described"
