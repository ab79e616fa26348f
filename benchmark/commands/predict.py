"""`unetbench predict`."""

import argparse
import json
import sys
from dataclasses import replace
from typing import Any

from ...core.counted import counted
from ...core.errors import SpecError
from ...datasets.readers import Reading
from ..predict.inputs import inputs, shard
from ..predict.open_model import check_classes, open_model
from ..predict.outputs import Wanted
from ..predict.progress import Progress
from ..predict.segment import check_mirror
from ..predict.segment_files import segment_files


def predict(options: argparse.Namespace) -> int:
    """Segment images into a folder; 0 when all are there, 1 when some could not be segmented."""
    model, images = _named(options)
    found = inputs(images, options.out)
    chosen = shard(found, options.shard) if options.shard else found
    if not chosen and not options.quiet:
        print(
            f"unetbench: --shard {options.shard}: of {counted(len(found), 'image')} none is of this part",
            file=sys.stderr,
        )
    segmenter = open_model(model)
    if options.classes:
        check_classes(segmenter, options.classes)
    check_mirror(segmenter, options.mirror)
    outcome = segment_files(
        chosen,
        segmenter,
        options.out,
        wanted=Wanted(options.probabilities, options.instances, options.overlays),
        reading=_reading(segmenter.reading, options),
        progress=Progress(quiet=options.quiet),
        mirror=options.mirror,
        memory_mib=options.memory_mib,
        overwrite=options.overwrite,
    )
    if options.json:
        failed = [{"image": str(failure.entry.file), "reason": failure.reason} for failure in outcome.failed]
        told: dict[str, Any] = {"done": outcome.done, "skipped": outcome.skipped, "failed": failed}
        print(json.dumps(told | {"tables": list(map(str, outcome.tables))}, indent=2))
    elif not options.quiet:
        before = f", {outcome.skipped} finished before" if outcome.skipped else ""
        print(f"{outcome.done} of {len(chosen)} images segmented into {options.out}{before}")
    if outcome.failed:
        print(f"unetbench: {len(outcome.failed)} of {len(chosen)} images could not be segmented", file=sys.stderr)
    return 1 if outcome.failed else 0


def _named(options: argparse.Namespace) -> tuple[str, list[str]]:
    """The model and the images: `--model MODEL` and images only, or the model as the first word."""
    if options.model is not None:
        return options.model, options.images
    first, *images = options.images
    if not images:
        raise SpecError(
            f"predict {first}: a model and images are needed: `predict MODEL IMAGE …`, or `predict IMAGE … --model "
            "MODEL` (`unetbench list pretrained`)"
        )
    return first, images


def _reading(trained: Reading, options: argparse.Namespace) -> Reading:
    """How files are read: as those that the model was trained on, but for what the command line says."""
    given = {name: getattr(options, name) for name in ("pages", "channels", "exif", "array")}
    return replace(trained, **{name: value for name, value in given.items() if value is not None})
