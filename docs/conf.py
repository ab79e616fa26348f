"""Sphinx settings of the documentation site.

    pip install -e '.[docs]' && sphinx-build -W --keep-going docs site && python -m http.server -d site

`-W` makes warnings errors. Notebooks are executed while the site is built; what they give is kept for the next time.
"""

import argparse
import os
import re
from pathlib import Path

import unetbench

DOCS = Path(__file__).parent

project = "unetbench"
author = "the authors of unetbench"
release = version = unetbench.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton", "sphinx_design"]
exclude_patterns = ["site", "_build", "**/.ipynb_checkpoints"]
html_theme = "pydata_sphinx_theme"
html_title = f"unetbench {release}"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "navbar_align": "left",
    "header_links_before_dropdown": 5,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_sidebars = {"index": []}
copyright = "the authors of unetbench, Apache-2.0"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
linkcheck_ignore = [r"https://doi\.org/.*", r"http://localhost.*"]  # publishers turn programs away

API = {
    "core": "Words that all parts share: tasks, recipes, trials, records, registries.",
    "datasets": "The data sets, and what is done to a case before a network sees it.",
    "models": "The recipes, one function each.",
    "losses": "The losses, one function each.",
    "metrics": "The metrics, and how scores are made of masks.",
    "runtimes": "Ways to run a trained model.",
}
"""Packages of which the site has a page, and what stands on top of it."""


def as_literal(app, what, name, obj, options, lines):
    """Docstrings are plain text with `code` in backticks: keep paragraphs and aligned lines, escape the rest."""
    made: list[str] = []
    for paragraph in "\n".join(lines).strip().split("\n\n"):
        rows = paragraph.split("\n")
        if any(row.startswith("    ") for row in rows[:1]) or any(re.search(r"\S {2,}\S", row) for row in rows):
            made += ["::", "", *("    " + row for row in rows), ""]
        else:
            made += [*_escaped("\n".join(row.strip() for row in rows)).split("\n"), ""]
    lines[:] = made


def _escaped(text: str) -> str:
    parts = re.split(r"`([^`]*)`", text)
    plain = [re.sub(r"([\\*_|<>:])", r"\\\1", part) for part in parts[::2]]
    code = [f"\\ ``{' '.join(part.split())}``\\ " if part.strip() else "" for part in parts[1::2]]
    return "".join(a + b for a, b in zip(plain, [*code, ""], strict=True))


def name_files_outside(app, docname, source):
    """Links to files beside the documentation, which the site does not have, become their places in the repository."""
    source[0] = re.sub(r"\[([^\]]*)\]\(\.\./([^)]*)\)", r"\1 (`\2` in the repository)", source[0])


def write_api(app):
    """Write a page for each package, with every module of it that has a docstring."""
    folder = DOCS / "api"
    folder.mkdir(exist_ok=True)
    for package, text in API.items():
        modules = sorted(file.stem for file in (DOCS.parent / package).glob("*.py") if file.stem != "__init__")
        page = [f"# unetbench.{package}", "", text, ""]
        for module in modules:
            page += [f"## {module}", "", "```{eval-rst}", f".. automodule:: unetbench.{package}.{module}", "```", ""]
        _write(folder / f"{package}.md", "\n".join(page))


def write_commands(app):
    """Write a page with the help of every command."""
    from unetbench.benchmark.cli import parser

    os.environ["COLUMNS"] = "100"
    whole = parser()
    (subparsers,) = [action for action in whole._actions if isinstance(action, argparse._SubParsersAction)]
    page = ["# Commands", "", "```text", whole.format_help().rstrip(), "```", ""]
    for name, command in subparsers.choices.items():
        page += [f"## unetbench {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    _write(DOCS / "commands.md", "\n".join(page))


def _write(file: Path, content: str) -> None:
    """Write where the content differs, so that a page that is the same is not built again."""
    if not file.exists() or file.read_text() != content:
        file.write_text(content)


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", write_api)
    app.connect("builder-inited", write_commands)
    app.connect("autodoc-process-docstring", as_literal)
    app.connect("source-read", name_files_outside)
