"""What trained trials cost and score on each runtime of a machine: one JSON file a trial and machine.

They lie beside the records, which never change: a trial can be timed again, and on other machines, without being
trained again. `results/<sweep>/deployments/<machine>/<trial id>.json`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.record import finite
from ...core.record_checks import TRIAL_ID, check_scores
from ...core.structure import COUNT, MAPPING, NUMBER, ROWS, TEXT, TEXTS, check, list_of, one_of
from ...core.trial import Trial
from .store import Store

SCHEMA = 1
"""Version of the layout."""

SETTING = ("runtime", "batch", "size", "threads")
"""Keys of a row that say what was timed: a row with the same ones is replaced by a later one."""

_KNOWN, _SAMPLES = NUMBER.or_null(), list_of(NUMBER)
_FILE = {
    **dict.fromkeys(("label", "measured"), TEXT),
    "trial": TRIAL_ID,
    "machine": MAPPING,
    "versions": TEXTS,
    "rows": ROWS,
}
_ROW = {
    **dict.fromkeys(("runtime", "problem", "device", "precision", "layer_errors_problem"), TEXT),
    "status": one_of("done", "unfit", "unavailable", "failed"),
    **dict.fromkeys(("batch", "threads", "channels"), COUNT),
    "size": list_of(COUNT, least=1),
    "instructions": list_of(TEXT),
    "session": MAPPING,
    **dict.fromkeys(("scores", "validation_scores", "layer_errors"), ROWS),
    **dict.fromkeys(("samples_s", "reference_s", "energy_j", "rounds"), _SAMPLES),
    **dict.fromkeys(("difference", "own_difference", "gate", "file_bytes", "peak_bytes"), _KNOWN),
    **dict.fromkeys(("convert_s", "load_s", "first_call_s"), _KNOWN),
}
"""Kinds of the fields of a file and of a row."""


@dataclass(frozen=True)
class Deployments:
    """A trial on the runtimes of one machine.

    trial: its id. label: how messages name it. measured: when last, ISO 8601. machine, versions: as in a record.
    rows: one a runtime and setting, with the keys
        runtime, status (`done`, `unfit`, `unavailable`, `failed`), problem (why it is not done);
        device, instructions, batch, size, channels, threads: where and how it was timed;
        precision: of the arithmetic, or of the weights alone; file_bytes; convert_s, load_s, first_call_s;
        layer_errors: of a quantised file the five layers with the largest `error`, each `layer` and root-mean-square
        error as a share of the layer's float32 output (runtimes.layer_errors; null: not finite), on the windows of
        `difference`; layer_errors_problem: why there are none;
        session: what the runtime says of itself; peak_bytes: the most resident memory of its process;
        difference: largest of a probability from a float64 run on real windows, own_difference: that of Keras float32,
        gate: how large it may be in float32; scores, validation_scores: true and false positives and negatives of test
        and of validation cases, by case and class, through the code of the export folder (rows of earlier versions
        have no validation_scores);
        samples_s: seconds of single calls, in order; rounds: how many of them each round took; warmup, steady: calls
        before them, and whether those became steady; reference_s: a fixed computation before each round and at the end;
        energy_j: joules of a call, the mean of each round, of all processor packages and GPUs that tell, with what
        idles and what else runs (timing.energy); absent where the machine does not tell.
    """

    trial: str
    label: str
    measured: str
    machine: dict[str, Any]
    versions: dict[str, str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """As JSON text, one line a row; NaN and infinities become null."""
        fields = asdict(self)
        rows = ",\n".join(json.dumps(finite(row)) for row in fields.pop("rows"))
        head = "".join(f"{json.dumps(key)}: {json.dumps(finite(value))},\n" for key, value in fields.items())
        return "{\n" + head + f'"rows": [\n{rows}\n]\n' + "}\n"

    def with_rows(self, later: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, those of the same setting replaced by later ones."""
        replaced = {_setting(row) for row in later}
        return [row for row in self.rows if _setting(row) not in replaced] + list(later)


def put(store: Store, trial: Trial, found: Deployments) -> Path:
    """Write them in place of this machine's former ones, whose rows of other settings are kept. Raises StoreError."""
    file = _file(store, trial)
    if file.is_file():
        found = Deployments(**{**asdict(found), "rows": read(file).with_rows(found.rows)})
    try:
        write(file, found.to_json().encode())
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; free some space") from None
    return file


def find(store: Store, trial: Trial) -> Deployments | None:
    """Return this machine's deployments of a trial, None before there are any."""
    file = _file(store, trial)
    return read(file) if file.is_file() else None


def read(file: Path) -> Deployments:
    """Read one file. Raises StoreError when it is not one, or of a later schema."""
    try:
        fields = read_json(file)
        check(fields, "it", {"schema": COUNT}, "schema")
        if fields["schema"] > SCHEMA:
            raise StoreError(f"{file}: schema {fields['schema']} is newer than {SCHEMA}; update unetbench to read it")
        _check(fields)
        return Deployments(**fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); delete it to have the trial timed again") from None


def _check(fields: dict[str, Any]) -> None:
    """Raise ValueError naming the first field that is not of its kind."""
    check(fields, "deployments", _FILE, *_FILE)
    for index, row in enumerate(fields["rows"]):
        check(row, f"rows[{index}]", _ROW, "runtime", "status", "batch", "size", "threads")
        for name in ("scores", "validation_scores"):
            check_scores(row.get(name, ()), f"rows[{index}]: {name}", "group", "tp", "fp", "fn", "tn")


def deployments(folder: Path) -> Iterator[tuple[str, Deployments]]:
    """Every machine's name and deployments below a sweep's folder, by machine and trial."""
    for file in sorted(folder.glob("deployments/*/*.json")):
        yield file.parent.name, read(file)


def _file(store: Store, trial: Trial) -> Path:
    return store.folder / "deployments" / store.machine / f"{trial.id}.json"


def _setting(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(json.dumps(row.get(key)) for key in SETTING)
