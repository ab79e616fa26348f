#!/usr/bin/env bash
# dask-jobqueue 0.9.0: `import dask_jobqueue` sets the handler of SIGINT of the whole process to `sys.exit()`. From then on Ctrl-C
# raises no KeyboardInterrupt, so that no `except KeyboardInterrupt` runs, and ends a program with status 0, as if it were done.
#
# Expected: an import leaves signals alone: KeyboardInterrupt, and without a handler a status that is not 0.
# Seen:     status 0; with `except KeyboardInterrupt` around it SystemExit(None) passes by.
# Fails when the import leaves the handler alone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dask-jobqueue==0.9.0 dask==2026.8.0 distributed==2026.8.0
cd "$folder"
cat > wait.py <<'PYTHON'
import importlib
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.default_int_handler)
for name in sys.argv[1:]:
    importlib.import_module(name)
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10**7):
        pass
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
    raise SystemExit(3) from None
except SystemExit as error:
    print(f"SystemExit({error.code})", flush=True)
    raise
PYTHON
status=0
venv/bin/python wait.py dask distributed || status=$?
echo "dask and distributed imported: status $status"
[ "$status" = 3 ] || { echo "changed"; exit 1; }
status=0
venv/bin/python wait.py dask_jobqueue || status=$?
echo "dask_jobqueue imported:        status $status"
[ "$status" = 0 ] || { echo "changed"; exit 1; }
echo "as described"
