#!/usr/bin/env bash
# MedPy 0.5.2 on NumPy 2.3: Dice, precision, recall and specificity of empty masks become NaN, where MedPy has chosen
# 1, 0, 0 and 0. The same MedPy on NumPy 2.2 gives its own values; the Jaccard coefficient gives 1 on both.
#
# Expected: the number that MedPy's code names, whichever NumPy is installed, or one rule for Dice and Jaccard.
# Seen:     NumPy 2.2.6: dc 1.0  precision 0.0  recall 0.0  specificity 0.0  jc 1.0
#           NumPy 2.3.5: dc nan  precision nan  recall nan  specificity nan  jc 1.0   (and a RuntimeWarning)
# Why:      MedPy divides and catches ZeroDivisionError. numpy.count_nonzero gave a Python int until 2.2 and gives a
#           NumPy integer since, whose division warns and gives NaN. A mean over cases that was 0.9 is NaN, or, with
#           nanmean, is taken over other cases.
# Fails when either row changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > scores.py <<'PYTHON'
import sys
import warnings

import numpy as np
from medpy.metric import binary

warnings.simplefilter("ignore", RuntimeWarning)
empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
found = {
    "dc": binary.dc(empty, empty),
    "precision": binary.precision(empty, full),
    "recall": binary.recall(full, empty),
    "specificity": binary.specificity(full, full),
    "jc": binary.jc(empty, empty),
}
row = "  ".join(f"{name} {float(value)}" for name, value in found.items())
print(f"NumPy {np.__version__}: {row}")
sys.exit(0 if row == sys.argv[1] else f"changed from: {sys.argv[1]}")
PYTHON
for numpy in 2.2.6 2.3.5; do
  python3 -m venv --clear venv
  venv/bin/pip install --quiet --disable-pip-version-check medpy==0.5.2 scipy==1.16.3 "numpy==$numpy"
  if [ "$numpy" = 2.2.6 ]; then
    venv/bin/python scores.py "dc 1.0  precision 0.0  recall 0.0  specificity 0.0  jc 1.0"
  else
    venv/bin/python scores.py "dc nan  precision nan  recall nan  specificity nan  jc 1.0"
  fi
done
echo "as described"
