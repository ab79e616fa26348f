"""Listing a folder of 100,000 files, beside the part of it that `pathlib` can do: finding and sorting them."""

from pathlib import Path

import pytest

from unetbench.datasets import DATASETS
from unetbench.datasets.digests import FileDigests
from unetbench.datasets.source import Source
from unetbench.datasets.split import split_cases

CASES = 50_000


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    import cv2
    import numpy as np

    content = cv2.imencode(".png", np.zeros((1, 1), np.uint8))[1].tobytes()
    home = tmp_path_factory.mktemp("many")
    for folder in ("img", "lab"):
        (home / folder).mkdir()
        for case in range(CASES):
            (home / folder / f"c{case:05}.png").write_bytes(content)
    return home


def _dataset(home: Path):
    return DATASETS["folder"](
        Source(None, home / "cache", False), path=str(home), images="img/*.png", masks="lab/*.png", classes=["cell"]
    )


@pytest.mark.slow
@pytest.mark.benchmark(group="100,000 files")
def test_listing_a_folder(benchmark, home) -> None:
    found = benchmark.pedantic(_dataset, (home,), rounds=5, warmup_rounds=1)
    assert len(found.cases) == CASES


@pytest.mark.slow
@pytest.mark.benchmark(group="100,000 files")
def test_finding_and_sorting_with_pathlib(benchmark, home) -> None:
    globs = ("img/*.png", "lab/*.png")

    def found() -> list[list[Path]]:
        return [sorted(file for file in home.glob(glob) if file.is_file()) for glob in globs]

    assert [len(files) for files in benchmark.pedantic(found, rounds=5, warmup_rounds=1)] == [CASES, CASES]


@pytest.mark.slow
@pytest.mark.benchmark(group="100,000 files")
@pytest.mark.parametrize("remembered", [False, True], ids=["first digest", "remembered digest"])
def test_digests_and_split(benchmark, home, tmp_path, remembered: bool) -> None:
    dataset = _dataset(home)
    split_cases(dataset, FileDigests(tmp_path))
    rounds = iter(range(100))
    benchmark.pedantic(
        split_cases,
        setup=lambda: ((dataset, FileDigests(tmp_path if remembered else tmp_path / str(next(rounds)))), {}),
        rounds=3,
    )
