"""Make a pretrained model of a finished trial, that of the sweep of its name.

`python -m unetbench.benchmark.commands.ship NAME --results DIR --data DIR`: for developers; it writes into the package.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import StoreError, UnetbenchError
from ...core.files import write
from ..predict.open_trial import open_trial
from ..predict.score_cases import score_cases
from ..predict.segment import segment
from ..records.pretrained import CARD, MEASURED, SHIPPED, Pretrained
from ..records.store import read
from ..report.model_card import model_card
from ..trial.segmenter import Segmenter
from .ship_sources import SOURCES, OtherSource, probe_image

DIGITS, PROBED = 6, 200


def main(words: Sequence[str] | None = None) -> int:
    """Copy record and weights, score images of other sources, write digests and card. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="+", choices=sorted(SOURCES), metavar="NAME")
    parser.add_argument("--results", type=Path, help="folder of results; without it only the card is written anew")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    options = parser.parse_args(words)
    try:
        for name in options.names:
            model = Pretrained(SHIPPED / name)
            if options.results is not None:
                copy(options.results / name, model.folder)
                measured(model, options.data or Path(), SOURCES[name])
            write(model.folder / CARD, model_card(model).encode())
    except UnetbenchError as error:
        print(f"ship: {error}", file=sys.stderr)
        return 2
    return 0


def copy(sweep: Path, folder: Path) -> None:
    """Bring the record and the weights of the one done trial of a sweep's results in. Raises StoreError."""
    records = [file for file in sorted(sweep.glob("records/*/*.json")) if read(file).status == "done"]
    weights = [sweep / "weights" / file.parent.name / f"{file.stem}.keras" for file in records]
    if len(records) != 1 or not weights[0].is_file():
        raise StoreError(f"{sweep}: holds {len(records)} done trials; one is needed, and its weights")
    for file in (*records, *weights):
        target = folder / file.relative_to(sweep)
        shutil.rmtree(folder / file.relative_to(sweep).parts[0], ignore_errors=True)
        target.parent.mkdir(parents=True)
        shutil.copy(file, target)


def measured(model: Pretrained, data: Path, sources: Sequence[OtherSource]) -> None:
    """Write the digests of its files, and its scores on images of other sources."""
    segmenter = open_trial(model.record_file)
    others = [
        {
            "name": source.name,
            "text": source.text,
            "licence": source.licence,
            "rows": [_rounded(row) for row in score_cases(segmenter, source.cases(data))],
        }
        for source in sources
    ]
    files = (model.record_file, model.weights_file)
    fields = {
        "sha256": {model.inside(file): model.digest(file) for file in files},
        "probe": _probe(segmenter),
        "others": others,
    }
    write(model.folder / MEASURED, text_of(fields).encode())


def _probe(segmenter: Segmenter) -> list[float]:
    """Probabilities on `probe_image`, at pixels evenly spaced: what tells that a network computes as it did here."""
    found = segment(probe_image(segmenter.source), segmenter, probabilities=True).probabilities
    assert found is not None  # asked for
    return [round(float(value), DIGITS) for value in found.ravel()[:: found.size // PROBED]]


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, DIGITS) if isinstance(value, float) else value for key, value in row.items()}


def text_of(fields: dict[str, Any]) -> str:
    """What was measured as JSON, with a row of scores a line."""
    others = fields["others"]
    text = json.dumps({**fields, "others": [{**other, "rows": []} for other in others]}, indent=1, ensure_ascii=False)
    for other in others:
        rows = ",\n".join(json.dumps(row) for row in other["rows"])
        text = text.replace('"rows": []', f'"rows": [\n{rows}\n]', 1)
    return f"{text}\n"


if __name__ == "__main__":
    sys.exit(main())
