"""Trained models that come with the package, by name.

Each is a folder of results as `run` writes one, `records/<machine>/<id>.json` and `weights/<machine>/<id>.keras`, with
`about.yaml`, what a person says of it, `measured.json`, digests of both files and scores on images of other sources,
and `card.md`, made of all of these.
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, StoreError, one_line, unknown
from ...core.json_text import parsed
from ...core.record import Record
from ...core.yaml_text import parsed_yaml
from .store import read

SHIPPED = Path(__file__).parents[1] / "pretrained"

MEASURED, CARD = "measured.json", "card.md"

MEND = "install unetbench again"


class Pretrained:
    """One of them, in its folder. Nothing is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name

    @property
    def record_file(self) -> Path:
        """Where its record is. Raises StoreError."""
        return self._only("records/*/*.json")

    @property
    def weights_file(self) -> Path:
        """Where its weights are. Raises StoreError."""
        return self._only("weights/*/*.keras")

    @cached_property
    def record(self) -> Record:
        """Its record. Raises StoreError, DamagedRecord."""
        return read(self.record_file)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What a person says of it: summary, licence, takes, looks, limits."""
        return parsed_yaml(self._text("about.yaml"))

    @cached_property
    def measured(self) -> dict[str, Any]:
        """sha256 by file, and others: name, text, licence and rows of scores of each other source."""
        try:
            return parsed(self._text(MEASURED))
        except ValueError as error:
            raise StoreError(f"{self.folder / MEASURED}: {one_line(error)}; {MEND}") from None

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self._text(CARD)

    def checked(self) -> tuple[Path, Path]:
        """Its record and its weights, whose digests are as they were measured. Raises StoreError naming the file."""
        files = self.record_file, self.weights_file
        for file in files:
            if self.digest(file) != self.measured["sha256"].get(self.inside(file)):
                raise StoreError(f"{file}: is not the file that came with unetbench; {MEND}")
        return files

    def inside(self, file: Path) -> str:
        """A file of it, from its folder on."""
        return file.relative_to(self.folder).as_posix()

    @staticmethod
    def digest(file: Path) -> str:
        """The SHA-256 of a file."""
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def _only(self, pattern: str) -> Path:
        found = sorted(self.folder.glob(pattern))
        if len(found) != 1:
            raise StoreError(f"{self.folder}: holds {len(found)} files {pattern}, not one; {MEND}")
        return found[0]

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text("utf-8")
        except OSError as error:
            raise StoreError(f"{self.folder / name}: {error.strerror}; {MEND}") from None


def shipped() -> list[str]:
    """Names of the trained models that come with the package."""
    return sorted(file.parent.name for file in SHIPPED.glob("*/about.yaml"))


def named(name: str) -> Pretrained:
    """The trained model of that name. Raises SpecError naming the nearest ones."""
    if name not in shipped():
        raise SpecError(unknown("pretrained model", name, shipped()))
    return Pretrained(SHIPPED / name)
