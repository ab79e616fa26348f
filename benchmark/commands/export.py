"""`unetbench export`."""

import argparse
from pathlib import Path

from ...core.trial import Choice
from ...runtimes import RUNTIMES
from ..deploy.export_trial import export as export_trial
from ..deploy.trained_trial import TrainedTrial
from ..records import pretrained
from .trials import check_threads, context_of, keyed, open_trial


def export(options: argparse.Namespace) -> int:
    """Write the export folder of a trained trial and print where it is."""
    check_threads([options.threads])
    trained = trained_of(options)
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


def trained_of(options: argparse.Namespace) -> TrainedTrial:
    """The trial of a file, or of a pretrained model, whose conversions are kept in results/ and not in the package."""
    name = str(options.trial)
    if name not in pretrained.shipped():
        return open_trial(options.trial, options)
    model = pretrained.named(name)
    _, weights = model.checked()
    return TrainedTrial.of(model.record, weights, context_of(Path("results", name), options))
