#!/usr/bin/env bash
# tifffile 2026.3.3: an array (y, x, 2) or (y, x, 5) is written as y pages of x rows and 2 or 5 columns, even where its axes
# are named as channels, (y, x, 3) and (y, x, 4) as one page of RGB and RGBA. tifffile's own imread shows no difference.
#
# Expected: one page of y × x pixels with its samples, as for three and four channels, at least with axes="YXC" or "YXS".
# Seen:     imwrite of (6, 7, 2):                 6 pages of (7, 2), axes QYX; SimpleITK 2.5.7: a volume of 2 × 7 × 6 voxels
#           with metadata={"axes": "YXC"}:        6 pages of (7, 2), axes YXC; SimpleITK: the same volume
#           with photometric="minisblack":        6 pages of (7, 2), axes QYX; SimpleITK: the same volume
#           with planarconfig="contig":           1 page of (6, 7, 2), axes YXS
#           imwrite of (6, 7, 3):                 1 page of (6, 7, 3), axes YXS
#           A photograph of 3000 × 4000 pixels and two channels has 3,000 pages. A reader that knows pages only, not the JSON
#           that tifffile puts beside them, takes the channels for columns, the columns for rows and the rows for depth.
# Why:      the default is grey pages, but for shapes that look like RGB(A). It is documented that giving planarconfig makes
#           the last axis samples; it is not that the axes in the metadata name pages and do not make them.
# Fails when pages, axes or SimpleITK's size change.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tifffile==2026.3.3 SimpleITK==2.5.7 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import SimpleITK
import tifffile

for channels, options, expected in (
    (2, {}, (6, (7, 2), "QYX", (2, 7, 6))),
    (5, {}, (6, (7, 5), "QYX", (5, 7, 6))),
    (2, {"metadata": {"axes": "YXC"}}, (6, (7, 2), "YXC", (2, 7, 6))),
    (2, {"metadata": {"axes": "YXS"}}, (6, (7, 2), "YXS", (2, 7, 6))),
    (2, {"photometric": "minisblack"}, (6, (7, 2), "QYX", (2, 7, 6))),
    (2, {"planarconfig": "contig"}, (1, (6, 7, 2), "YXS", (7, 6))),
    (3, {}, (1, (6, 7, 3), "YXS", (7, 6))),
    (4, {}, (1, (6, 7, 4), "YXS", (7, 6))),
):
    array = np.arange(6 * 7 * channels, dtype=np.uint8).reshape(6, 7, channels)
    tifffile.imwrite("a.tif", array, **options)
    with tifffile.TiffFile("a.tif") as file:
        found = len(file.pages), file.pages[0].shape, file.series[0].axes, SimpleITK.ReadImage("a.tif").GetSize()
    print(f"(6, 7, {channels}) with {options}: {found[0]} pages of {found[1]}, axes {found[2]}, SimpleITK's size {found[3]}")
    assert np.array_equal(tifffile.imread("a.tif"), array)
    assert found == expected, f"changed from {expected}"
PYTHON
echo "as described"
