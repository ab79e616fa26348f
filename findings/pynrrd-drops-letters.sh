#!/usr/bin/env bash
# pynrrd 1.1.3 reads the header of a NRRD without its letters beyond ASCII and says nothing: two segments of 3D Slicer get
# one name. SimpleITK 2.5.7 keeps them. Writing such a letter raises, and leaves a file cut short behind.
#
# Expected: Segment0_Name:=Läsion and Segment1_Name:=Lösion, in UTF-8, are read as two names, or refused.
# Seen:     pynrrd:      Lsion, Lsion
#           SimpleITK:   Läsion, Lösion
#           pynrrd.write of a name with ä: UnicodeEncodeError, and a file without data is left
# Why:      read_header decodes each line by `decode("ascii", "ignore")`; given lines of text in place of a file it keeps
#           them. The format asks for ASCII, which programs with names of people's own do not keep to.
# Fails when a name changes, or when writing no longer raises or leaves no file.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  SimpleITK==2.5.7 pynrrd==1.1.3 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import os

import nrrd
import numpy as np
import SimpleITK

array = np.zeros((3, 4, 5), np.uint8)
nrrd.write("a.nrrd", array, {"Segment0_Name": "AA", "Segment1_Name": "BB"})
content = open("a.nrrd", "rb").read()
named = content.replace(b"AA", "Läsion".encode()).replace(b"BB", "Lösion".encode())
open("a.nrrd", "wb").write(named)

header = nrrd.read_header("a.nrrd")
print("pynrrd:", header["Segment0_Name"], header["Segment1_Name"])
assert header["Segment0_Name"] == header["Segment1_Name"] == "Lsion", "changed"

image = SimpleITK.ReadImage("a.nrrd")
names = [image.GetMetaData(f"Segment{k}_Name") for k in (0, 1)]
print("SimpleITK:", *names)
assert names == ["Läsion", "Lösion"], "changed"

lines = named.split(b"\n\n")[0].decode("utf-8").splitlines()
print("pynrrd, from lines of text:", nrrd.read_header(lines)["Segment0_Name"])
assert nrrd.read_header(lines)["Segment0_Name"] == "Läsion", "changed"

try:
    nrrd.write("b.nrrd", array, {"Segment0_Name": "Läsion"})
    raise SystemExit("changed: it is written")
except UnicodeEncodeError as error:
    print("pynrrd.write:", type(error).__name__, "leaves", os.path.getsize("b.nrrd"), "bytes")
PYTHON
echo "as described"
