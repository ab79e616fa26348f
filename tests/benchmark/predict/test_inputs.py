"""Which images are meant, and what their outputs are called."""

import numpy as np
import pytest
from PIL import Image

from unetbench.benchmark.predict.inputs import inputs, shard
from unetbench.core.errors import DataError, SpecError


def _touch(folder, *names):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("zarr.json"):
            file.write_text("{}")
        else:
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(file, format="PNG")


def _names(words, out):
    return [(entry.name, entry.file.name) for entry in inputs([str(word) for word in words], out)]


def test_a_folder_gives_its_images_at_any_depth_with_sub_folders_in_their_names(tmp_path):
    _touch(
        tmp_path, "in/b.PNG", "in/s/a.nii.gz", "in/s/t/c.ome.zarr/zarr.json", "in/.d.png", "in/Thumbs.db", "in/e.txt"
    )
    _touch(tmp_path, "in/s/t/c.ome.zarr/0/zarr.json", "in/s/t/c.ome.zarr/thumbnail.png")
    assert _names([tmp_path / "in"], tmp_path / "out") == [
        ("b", "b.PNG"), ("s/a", "a.nii.gz"), ("s/t/c", "c.ome.zarr"),
    ]  # fmt: skip


def test_what_lies_in_the_folder_of_outputs_is_no_input(tmp_path):
    _touch(tmp_path, "a.png", "out/labels/a.png")
    assert _names([tmp_path], tmp_path / "out") == [("a", "a.png")]
    assert _names([tmp_path / "**/*.png"], tmp_path / "out") == [("a", "a.png")]


def test_a_glob_names_outputs_by_what_follows_its_part_without_wildcards(tmp_path):
    _touch(tmp_path, "x/1/img/a.png", "x/2/img/a.png", "x/2/lab/a.png", "x/2/img/b.txt")
    assert _names([tmp_path / "x/*/img/*"], tmp_path / "out") == [("1/img/a", "a.png"), ("2/img/a", "a.png")]


def test_files_are_called_as_they_are_and_taken_once(tmp_path):
    _touch(tmp_path, "x/a.png", "x/b.png", "c.zarr/zarr.json")
    words = [tmp_path / "x/b.png", tmp_path / "x/a.png", tmp_path / "x/*.png", tmp_path / "c.zarr"]
    assert _names(words, tmp_path / "out") == [("a", "a.png"), ("b", "b.png"), ("c", "c.zarr")]


@pytest.mark.parametrize("other", ["a.jpg", "A.png", "a.ome.zarr/zarr.json"])
def test_two_images_whose_outputs_would_have_one_name_are_refused(other, tmp_path):
    _touch(tmp_path, "in/a.png", f"in/{other}")
    with pytest.raises(SpecError, match=r"would both be .*out/labels/(a|A); segment them into two folders"):
        _names([tmp_path / "in"], tmp_path / "out")


def test_what_is_not_there_is_named(tmp_path):
    _touch(tmp_path, "in/a.txt")
    for word in ("none.png", "in/none"):
        with pytest.raises(DataError, match=f"{word}: there is no such file or folder"):
            _names([tmp_path / word], tmp_path / "out")
    for word in ("in", "in/*.png"):
        with pytest.raises(DataError, match=r"no image found; images are \.bmp, .*OME-Zarr"):
            _names([tmp_path / word], tmp_path / "out")


def test_shards_are_apart_equally_large_and_together_everything(tmp_path):
    _touch(tmp_path, *(f"{k:02}.png" for k in range(11)))
    found = inputs([str(tmp_path)], tmp_path / "out")
    parts = [shard(found, f"{k}/4") for k in (1, 2, 3, 4)]
    assert sorted(entry.name for part in parts for entry in part) == [entry.name for entry in found]
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    for text in ("0/4", "5/4", "1", "a/b", "1/0", "²/4", "1/²"):
        with pytest.raises(SpecError, match=f"--shard {text}: write i/n with i from 1 to n"):
            shard(found, text)
