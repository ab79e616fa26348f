"""Lines of updates on disk: every decision for or against a new model, and a file that says which one is current.

`results/<sweep>/updates/<line>/0001.json`, `0002.json` … are written once each and never changed; what is current
follows from them. `current.json` beside them names its record, for other commands to open.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.record import finite
from ...core.structure import COUNT, MAPPING, TEXT, TRUTH, Kind, check, one_of

FOLDER, POINTER = "updates", "current.json"

SCHEMA = 1
"""Version of the layout of decisions and pointers."""

UPDATE, UNDO = "update", "undo"
"""What a decision is about: a new model, or to take the last one that was put in place back."""

_RECORD = Kind(
    "records/MACHINE/ID.json",
    lambda value: isinstance(value, str) and Path(value).suffix == ".json" and ".." not in Path(value).parts,
)
_DECISION = {
    "schema": COUNT,
    "number": COUNT,
    "act": one_of(UPDATE, UNDO),
    "replaced": TRUTH,
    **dict.fromkeys(("time", "reason"), TEXT),
    **dict.fromkeys(("before", "model", "current"), _RECORD),
    "gate": MAPPING,
    "by": MAPPING,
}
_POINTER = {"schema": COUNT, "record": _RECORD, "decisions": COUNT}


@dataclass(frozen=True)
class Decision:
    """act: `update` or `undo`. replaced: whether another model is current since. time: ISO. reason: one line.

    before, model, current: records in the folder of the sweep: of the model that was current, of the one that the
    decision is about, and of the one that is current since. gate: the numbers that decided, of an update. by: machine,
    versions and state of the code.
    """

    number: int
    act: str
    replaced: bool
    time: str
    reason: str
    before: str
    model: str
    current: str
    gate: dict[str, Any] = field(default_factory=dict)
    by: dict[str, Any] = field(default_factory=dict)


class Line:
    """The updates of one model, from the first one on.

    folder: `results/<sweep>/updates/<line>`. Raises StoreError for files that are damaged or were edited.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sweep = folder.parents[1]

    @property
    def name(self) -> str:
        """As `--name` gives it, or the id of the first model."""
        return self.folder.name

    @property
    def pointer(self) -> Path:
        """The file that names the current model."""
        return self.folder / POINTER

    def decisions(self) -> list[Decision]:
        """All of them, the first one first."""
        numbers = sorted(int(file.stem) for file in self.folder.glob("*.json") if file.stem.isdecimal())
        if numbers != list(range(1, len(numbers) + 1)):
            raise StoreError(f"{self.folder}: has decisions {numbers}; one of them is missing, put it back")
        return [self._read(number) for number in numbers]

    def models(self) -> list[str]:
        """Records of the models that were put in place and not taken back: the first model, and last the current one.

        None where nothing was decided yet.
        """
        found: list[str] = []
        for decision in self.decisions():
            found = found or [decision.before]
            if decision.act == UPDATE and decision.replaced:
                found.append(decision.model)
            elif decision.act == UNDO:
                found.pop()
            if not found or found[-1] != decision.current:
                raise StoreError(
                    f"{self._file(decision.number)}: says that {decision.current} is current, which does not follow "
                    "from the decisions before it; the file was edited"
                )
        return found

    def add(self, decision: Decision) -> Path:
        """Write the next decision, then the pointer; returns the decision's file.

        Raises StoreError where one of that number is there, which another command has written meanwhile.
        """
        file = self._file(decision.number)
        if file.exists():
            raise StoreError(f"{file}: is there already; another command has decided meanwhile, look at --list")
        _write(file, {"schema": SCHEMA, **asdict(decision)})
        self.point(decision.current, decision.number)
        return file

    def point(self, record: str, decisions: int) -> None:
        """Write the pointer."""
        _write(self.pointer, {"schema": SCHEMA, "record": record, "decisions": decisions})

    def mend(self) -> None:
        """Write the pointer anew where it is not what the decisions say, as after a crash between the two."""
        models = self.models()
        if models and (not self.pointer.is_file() or pointed(self.pointer) != self.sweep / models[-1]):
            self.point(models[-1], len(self.decisions()))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:04d}.json"

    def _read(self, number: int) -> Decision:
        told = _checked(self._file(number), _DECISION, *Decision.__dataclass_fields__)
        if told["number"] != number:
            raise StoreError(f"{self._file(number)}: is decision {told['number']}; the file was renamed")
        return Decision(**{name: told[name] for name in Decision.__dataclass_fields__})


def is_pointer(place: Path) -> bool:
    """Whether a file is called as the pointer of a line of updates is."""
    return place.name == POINTER and place.absolute().parent.parent.name == FOLDER


def pointed(pointer: Path) -> Path:
    """The record that a pointer names. Raises StoreError where it is none or its record is not there."""
    record = pointer.absolute().parent.parent.parent / _checked(pointer, _POINTER, *_POINTER)["record"]
    if not record.is_file():
        raise StoreError(f"{pointer}: names {record}, which is not there; copy the whole folder of the sweep")
    return record


def line_of(place: Path, name: str = "") -> Line:
    """The line of a pointer, or the one of that name in the sweep of a record."""
    place = place.resolve()
    return Line(place.parent if is_pointer(place) else place.parents[2] / FOLDER / name)


def name_of(record: Path) -> str:
    """A record's file as seen from the folder of its sweep: `records/<machine>/<id>.json`."""
    return Path(*record.resolve().parts[-3:]).as_posix()


def lines_at(record: Path) -> Sequence[Line]:
    """The lines of a record's sweep in which it is the first model or the current one."""
    folders = (record.resolve().parents[2] / FOLDER).glob("*/")
    found = [Line(folder) for folder in sorted(folders) if any(folder.glob("*.json"))]
    own = name_of(record)
    return [line for line in found if (models := line.models()) and own in (models[0], models[-1])]


def _checked(file: Path, kinds: Mapping[str, Kind], *needed: str) -> dict[str, Any]:
    try:
        told = read_json(file)
        check(told, "it", {"schema": COUNT}, "schema")
        if told["schema"] > SCHEMA:
            raise StoreError(f"{file}: schema {told['schema']} is newer than {SCHEMA}; update unetbench to read it")
        check(told, "it", kinds, *needed)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{file}: is no file of updates ({error}); put it back as it was") from None
    return told


def _write(file: Path, told: dict[str, Any]) -> None:
    try:
        write(file, (json.dumps(finite(told), indent=2) + "\n").encode())
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; let it be written: the same command goes on") from None
