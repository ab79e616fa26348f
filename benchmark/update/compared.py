"""An old and a new model on each part of the test cases: the frozen ones, and those that came with updates."""

import os
from collections.abc import Sequence
from pathlib import Path

from ...core import onednn
from ...core.measure import Measure
from ...core.record import Record
from ...datasets.batches import Arrived
from ...datasets.case import Case
from ..trial.context import OpenedDataset
from ..trial.later import FIRST
from .gate import Difference, Rows, difference


def compared(
    old: tuple[Record, Path], new: Record, opened: OpenedDataset, arrived: Arrived, reading: Measure
) -> dict[str, Difference]:
    """By batch, `first` for the frozen test set, the old model and the new one on its test cases.

    old: the record and the weights. opened: the data set of the new one, arrived: its batches. The test cases of the
    last batch, which the old model has never seen, are predicted here with its weights; all other scores are those of
    the records.
    """
    of = opened.test_batches
    parts = {batch: {case for case, own in of.items() if own == batch} for batch in arrived.batches}
    newest = [case for case in opened.split.cases("test") if case.name in parts[arrived.batches[-1]]]
    rows = [*old[0].scores, *(scored(*old, newest, opened) if newest else ())]
    return {batch: difference(rows, new.scores, cases, reading) for batch, cases in parts.items()}


def frozen(old: Record, new: Record, opened: OpenedDataset, reading: Measure) -> Difference:
    """Two models on the frozen test cases, from their records alone."""
    cases = {case for case, batch in opened.test_batches.items() if batch == FIRST}
    return difference(old.scores, new.scores, cases, reading)


def scored(record: Record, weights: Path, cases: Sequence[Case], opened: OpenedDataset) -> Rows:
    """The scores of a trained trial on test cases, predicted as its own test cases were."""
    if opened.task.rank == 3:  # read when TensorFlow is loaded; in 2D neither of its ways is the faster one
        os.environ.update(onednn.turned_on())
    from ...runtimes import RUNTIMES
    from ..trial.evaluate import evaluate
    from ..trial.saved_network import saved_network
    from ..trial.selection import Selection
    from ..trial.windows import Windows

    recipe, chosen, network = record.trial.recipe, record.selection, saved_network(weights)
    selection = Selection(chosen["epoch"], chosen["score"], chosen["monitor"], chosen["threshold"])
    return evaluate(
        RUNTIMES["keras"](network),
        selection,
        cases,
        opened,
        windows=Windows.of(network, recipe),
        mirror=recipe.mirror,
        previews=0,
        on_progress=lambda event: None,
    ).scores
