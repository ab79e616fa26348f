#!/usr/bin/env bash
# tifffile 2026.3.3: a boolean array written without `photometric` is a TIFF whose 0 is white (MinIsWhite), so that a mask
# comes back inverted from Pillow, OpenCV and SimpleITK. The same mask as uint8 is written as 0 is black, like all others.
#
# Expected: the one pixel that is True is the one pixel that is set, whichever library reads the file.
# Seen:     pixels set, of 40:        tifffile  Pillow  OpenCV  SimpleITK
#           bool                             1      39      39         39
#           uint8 of 0 and 255               1       1       1          1
#           bool, minisblack                 1       1       1          1
# Why:      the default for two-valued images is MinIsWhite, whose bits are stored as they are, and tifffile reads the bits
#           back without heeding the tag; the others show white as white. `photometric="minisblack"` is the mend.
#           Its documentation says that the default is inferred from shape and dtype, not that booleans turn it round.
# Fails when a number changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tifffile==2026.3.3 numpy==2.2.6 pillow==12.0.0 opencv-python-headless==4.12.0.88 SimpleITK==2.5.7
cd "$folder"
venv/bin/python - <<'PYTHON'
import cv2
import numpy as np
import SimpleITK
import tifffile
from PIL import Image

mask = np.zeros((4, 10), bool)
mask[0, 0] = True


def first_channel(array):
    return array[..., 0] if array.ndim == 3 else array  # SimpleITK makes RGBA of a two-valued TIFF


def pixels_set():
    read = (
        tifffile.imread("mask.tif"),
        np.asarray(Image.open("mask.tif")),
        cv2.imread("mask.tif", cv2.IMREAD_UNCHANGED),
        first_channel(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("mask.tif"))),
    )
    return [int(np.count_nonzero(array)) for array in read]


print("pixels set, of 40: tifffile, Pillow, OpenCV, SimpleITK")
for name, array, options, expected in (
    ("bool", mask, {}, [1, 39, 39, 39]),
    ("uint8", mask.astype(np.uint8) * 255, {}, [1, 1, 1, 1]),
    ("bool, minisblack", mask, {"photometric": "minisblack"}, [1, 1, 1, 1]),
):
    tifffile.imwrite("mask.tif", array, **options)
    found = pixels_set()
    print(f"{name}: {found}")
    assert found == expected, f"changed from {expected}"
PYTHON
echo "as described"
