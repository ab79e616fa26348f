"""The documentation site is built without a warning, and has a page for every page of docs/."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("myst_nb") is None, reason="Sphinx is not installed: pip install -e '.[docs]'"
)
def test_the_site_is_built_without_a_warning(tmp_path):
    words = ["-W", "--keep-going", "-q", "-D", "nb_execution_mode=off", "-d", str(tmp_path / "seen")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(DOCS), str(tmp_path / "site")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for page in DOCS.glob("*.md"):
        assert (tmp_path / "site" / f"{page.stem}.html").exists(), page.name


def test_every_page_is_in_the_table_of_contents():
    listed = "\n".join(
        (DOCS / f"{part}.md").read_text() for part in ("index", "start", "howto", "explanation", "reference")
    )
    names = {page.stem for page in DOCS.glob("*.md")} | {f"notebooks/{page.stem}" for page in DOCS.glob("**/*.ipynb")}
    missing = {name for name in names - {"index"} if f"\n{name}\n" not in listed}
    assert not missing
