"""Every finding is a script of the form that findings/README.md states; none is run here, for they install packages."""

import re
import subprocess
from pathlib import Path

import pytest

import unetbench

FINDINGS = Path(unetbench.__file__).parent / "findings"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))


def test_there_is_nothing_but_scripts_and_they_are_listed():
    readme = (FINDINGS / "README.md").read_text("utf-8")
    assert {file.name for file in FINDINGS.iterdir()} == {"README.md", *(file.name for file in SCRIPTS)}
    assert all(f"]({file.name})" in readme for file in SCRIPTS)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.stem)
def test_a_finding_states_itself_and_installs_pinned_packages_aside(file):
    head, _, body = file.read_text("utf-8").partition("set -euo pipefail\n")
    assert head.startswith("#!/usr/bin/env bash\n")
    for word in ("# Expected:", "# Seen:", "# Fails when"):
        assert word in head
    assert 'folder="$(mktemp -d)"\ntrap \'rm -rf "$folder"\' EXIT\n' in body
    installed = re.findall(r"pip\"? install (?:--[\w-]+ )*\\?\s*(.+)", body)
    assert installed
    assert all("==" in package for line in installed for package in line.split())
    assert "unetbench" not in head + body
    assert subprocess.run(["bash", "-n", file], check=False).returncode == 0
