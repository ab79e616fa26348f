"""The short file that says what a published table holds: where it is from, and what its columns are."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError
from ...core.yaml_text import parsed_yaml
from ..sweep.validate import validate


class ColumnKeys(BaseModel):
    """`{measure: dice, dataset: Kvasir, cases: 100}`: what a column holds, of which data set, over how many cases."""

    model_config = ConfigDict(extra="forbid", strict=True)
    measure: str
    dataset: str | None = None
    cases: int | None = Field(default=None, ge=2)


class Mapping(BaseModel):
    """A mapping file.

    source, doi: the publication. table: which of the file's, from 1. model: header of the column that names models.
    columns: by header. dataset: of all columns, or `dataset_column`, or `headings: true` where they stand between the
    rows. cases: of every data set, or by data set. spread: what a ± is, `cases` for the standard deviation over them.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    source: str = Field(min_length=1)
    doi: str = Field(pattern=r"^10\.\d{4,9}/\S+$")
    table: int = Field(default=1, ge=1)
    model: str
    columns: dict[str, ColumnKeys] = Field(min_length=1)
    dataset: str | None = None
    dataset_column: str | None = None
    headings: bool = False
    cases: int | dict[str, int] | None = None
    spread: Literal["cases", "seeds", "folds", "other"] | None = None
    unit: Literal["auto", "percent", "fraction"] = "auto"

    def cases_of(self, dataset: str, keys: ColumnKeys) -> int | None:
        """How many cases a number is over; None where nothing says it."""
        if keys.cases is not None:
            return keys.cases
        return self.cases.get(dataset) if isinstance(self.cases, dict) else self.cases


def read_mapping(file: Path) -> Mapping:
    """Read a mapping file. Raises SpecError in one line that names the key."""
    try:
        raw: Any = parsed_yaml(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"{file.name}: cannot be read: {reason}") from None
    return validate(TypeAdapter(Mapping), raw, file.name)
