"""Trained trials that a command line names."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.counted import counted
from ...core.errors import SpecError, StoreError
from ...core.processor import cores, processor
from ...core.yaml_text import parsed_yaml
from ...datasets.source import Source
from ..deploy.trained_trial import TrainedTrial, find_record
from ..trial.context import Context
from .run import cache_folder


def open_trial(place: Path, options: argparse.Namespace) -> TrainedTrial:
    """The trial of a record's or a weights' file in a sweep's folder. Raises StoreError, DataError."""
    record, weights = find_record(place)
    return TrainedTrial.of(record, weights, context_of(place.absolute().parents[2], options))


def trials_of(place: Path) -> list[Path]:
    """Files of the records below a sweep's folder, or the one file. Raises StoreError where there is none."""
    if place.is_file():
        return [place]
    found = sorted(place.glob("records/*/*.json"))
    if not found:
        raise StoreError(f"{place}: holds no records; give a sweep's folder of results, or the file of one record")
    return found


def context_of(folder: Path, options: argparse.Namespace) -> Context:
    """Where things are, for the trials of a sweep's folder."""
    given = options.data or os.environ.get("UNETBENCH_DATA")
    folder = folder.resolve()
    return Context(
        source=Source(data=Path(given).resolve() if given else None, cache=cache_folder(), download=False),
        folder=Path.cwd(),
        results=folder.parent,
        sweep=folder.name,
        plugins=tuple(str(Path(plugin).resolve()) for plugin in options.plugin),
    )


def check_threads(counts: Sequence[int]) -> None:
    """Raise SpecError for more threads than this process has processors: they would wait for each other."""
    most = cores()
    over = next((count for count in counts if count > most), 0)
    if over:
        raise SpecError(
            f"--threads {over}: this process may use {counted(most, 'logical processor')} ({processor().model}); "
            f"give 0 to {most}"
        )


def keyed(pairs: Sequence[str]) -> dict[str, Any]:
    """The options of `--set key=value`, values as YAML reads them. Raises SpecError."""
    found = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise SpecError(f"--set {pair}: write key=value, for instance width=32")
        try:
            found[key] = parsed_yaml(value)
        except ValueError as error:
            raise SpecError(f"--set {pair}: {error}") from None
    return found
