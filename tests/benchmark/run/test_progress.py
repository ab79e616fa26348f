"""Progress calls the trials as the tables do."""

from unetbench.benchmark.naming.labels import Labels
from unetbench.benchmark.run.progress import Progress
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

SWEEP = {
    "datasets": ["cells"],
    "models": [{"name": "unet", "width": 8, "label": "Ours"}, {"name": "unet", "width": 16}],
}


def test_a_finished_trial_is_told_by_its_labels(capsys):
    trials = [Trial(Choice("cells"), {}, Choice("unet", {"width": w}), Choice("bce"), Recipe(), 1) for w in (8, 16)]
    progress = Progress(Labels(SWEEP))
    progress.begin(trials, 0)
    for trial in trials:
        progress.start(trial)
        progress.on_progress(trial, {"phase": "warning", "text": "no weights"})
        progress.finish(Record(trial, "done", scores=[{"dice": 0.5}]))
    progress.end()
    assert capsys.readouterr().err.splitlines() == [
        "cells · Ours · bce · seed 1: warning: no weights",
        "[1/2] cells · Ours · bce · seed 1: done, Dice 0.500, 0 s",
        "cells · unet(width=16) · bce · seed 1: warning: no weights",
        "[2/2] cells · unet(width=16) · bce · seed 1: done, Dice 0.500, 0 s",
    ]
