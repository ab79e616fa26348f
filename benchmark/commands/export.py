"""`unetbench export`."""

import argparse
from pathlib import Path

from ...core.trial import Choice
from ...runtimes import RUNTIMES
from ..deploy.export_trial import export as export_trial
from ..deploy.trained_trial import TrainedTrial
from ..records import pretrained
from .trials import check_threads, keyed, open_trial


def export(options: argparse.Namespace) -> int:
    """Write the export folder of a trained trial and print where it is."""
    check_threads([options.threads])
    name = str(options.trial)
    place = pretrained.named(name).checked()[0] if name in pretrained.shipped() else options.trial
    trained: TrainedTrial = open_trial(place, options)
    runtime = Choice(options.format, keyed(options.set))
    RUNTIMES.check(runtime.name, runtime.options)
    out = options.out or Path(f"{trained.record.trial.model.name}-{options.format}")
    made = export_trial(
        trained, runtime, out, window=options.size, threads=options.threads, bioimageio=options.bioimageio
    )
    print(
        f"{made.folder}: {made.file_bytes / 1e6:.2f} MB, largest difference from float64 {made.about['difference']:.2g}"
    )
    print(f"try it: python {made.folder / 'segment.py'} --self-test")
    return 0
