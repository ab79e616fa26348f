"""Globs find the files that a person means, and name each once, in one order on every system."""

import os

import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets.listing import listed


def _files(home, *names):
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("img/*.png", ["img/B.PNG", "img/a.png"]),
        ("img/?.PNG", ["img/B.PNG", "img/a.png"]),
        ("./img//[!B].png", ["img/a.png"]),
        ("img/a.png", ["img/a.png"]),
        ("IMG/*.png", []),
        ("img/A.png", []),
        ("*/*.nii.gz", ["img/v.nii.GZ"]),
        ("img/*", ["img/B.PNG", "img/a.png", "img/notes.txt", "img/v.nii.GZ"]),
        ("**/*.png", ["img/B.PNG", "img/a.png", "img/deep/er/c.png", "top.png"]),
        ("**/deep/**", ["img/deep/er/c.png"]),
        ("img/**/er/*.png", ["img/deep/er/c.png"]),
        ("**/**/c.png", ["img/deep/er/c.png"]),
        ("none/*.png", []),
        ("top.png/*.png", []),
    ],
)
def test_a_glob_names_files(tmp_path, pattern, expected):
    _files(tmp_path, "img/a.png", "img/B.PNG", "img/v.nii.GZ", "img/notes.txt", "img/deep/er/c.png", "top.png")
    (tmp_path / "img" / "folder.png").mkdir()
    assert listed(tmp_path, pattern) == expected


def test_the_order_is_that_of_the_parts(tmp_path):
    _files(tmp_path, "a/2.png", "a-b/1.png", "a/10.png")
    assert listed(tmp_path, "*/*.png") == ["a/10.png", "a/2.png", "a-b/1.png"]  # "-" comes before "/" as a character


def test_what_desktops_leave_behind_is_no_image(tmp_path):
    left = ("._a.png", ".hidden.png", "Thumbs.db", "desktop.ini", ".thumbs/t.png", "__MACOSX/._a.png")
    _files(tmp_path, "a.png", *left)
    assert listed(tmp_path, "**/*") == ["a.png"]
    assert listed(tmp_path, "*.*") == ["a.png"]
    assert listed(tmp_path, ".thumbs/*.png") == [".thumbs/t.png"]
    assert listed(tmp_path, ".h*.png") == [".hidden.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_are_followed_but_not_in_circles_nor_into_nothing(tmp_path):
    _files(tmp_path / "home", "img/a.png")
    _files(tmp_path / "elsewhere", "b.png")
    (tmp_path / "home" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "home" / "img" / "again").symlink_to(tmp_path / "home")
    (tmp_path / "home" / "img" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert listed(tmp_path / "home", "*/*.png") == ["img/a.png", "linked/b.png"]
    assert listed(tmp_path / "home", "**/*.png") == ["img/a.png"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("/img/*.png", "'/img/\\*.png' is an absolute path"),
        ("img/a**.png", "stands for whole folders"),
        ("img/[z-a].png", "'\\[z-a\\].png' is no glob"),
    ],
)
def test_a_glob_without_sense_is_refused(tmp_path, pattern, said):
    with pytest.raises(SpecError, match=said):
        listed(tmp_path, pattern)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(DataError, match="closed: cannot be listed: Permission denied"):
        listed(tmp_path, "closed/*.png")
    (tmp_path / "closed").chmod(0o700)
