#!/usr/bin/env bash
# SimpleITK 2.5.7: a TIFF of grey pixels with further samples (two channels, or grey and alpha) is read as one channel whose
# rows are the samples of the left part of the image one after the other, without an error.
#
# Expected: two components a pixel, or the first of them, or an error.
# Seen:     a row of (grey, alpha) pixels (0, 100) (1, 101) (2, 102) (3, 103) becomes 0 100 1 101: stretched two-fold, the
#           channels mixed, the right half gone. So it is with five channels, written by tifffile, and with grey and alpha,
#           written by Pillow 12.0.0. RGB and RGBA are read rightly.
# Why:      ITK's reader copies as many samples of a row as the row has pixels. Corrected in ITK's sources after this release
#           (InsightSoftwareConsortium/ITK#6636).
# Fails when the rows become right, or wrong in another way.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  SimpleITK==2.5.7 tifffile==2026.3.3 pillow==12.0.0 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import SimpleITK
import tifffile
from PIL import Image


def channels(count):
    """3 rows of 4 pixels: channel c of pixel x is 100 c + x in the first row of two channels."""
    row = np.arange(4)[:, None] + (100 // (count - 1)) * np.arange(count)
    return np.stack([row, row + 4, row + 8]).astype(np.uint8)


def read(name):
    image = SimpleITK.ReadImage(name)
    return image.GetNumberOfComponentsPerPixel(), SimpleITK.GetArrayFromImage(image)


for count in (2, 5):
    array = channels(count)
    tifffile.imwrite("a.tif", array, photometric="minisblack", planarconfig="contig")
    components, found = read("a.tif")
    print(f"{count} channels: pixels {array[0].tolist()} are read as {found[0].tolist()}")
    assert components == 1 and np.array_equal(found, array.reshape(3, -1)[:, :4]), "changed"

array = channels(2)
Image.merge("LA", [Image.fromarray(array[..., 0].copy()), Image.fromarray(array[..., 1].copy())]).save("a.tif")
components, found = read("a.tif")
print(f"grey and alpha: pixels {array[0].tolist()} are read as {found[0].tolist()}")
assert components == 1 and np.array_equal(found, array.reshape(3, -1)[:, :4]), "changed"

for count in (3, 4):
    tifffile.imwrite("a.tif", channels(count), photometric="rgb")
    components, found = read("a.tif")
    assert components == count and np.array_equal(found, channels(count)), "RGB or RGBA changed"
PYTHON
echo "as described"
