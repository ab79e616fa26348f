"""A record: what happened to a trial. Raw facts only; means and intervals are made in the report."""

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from .errors import DamagedRecord, SpecError, StoreError, one_line
from .json_text import parsed
from .record_checks import check_record
from .structure import WHOLE, check
from .trial import Trial

SCHEMA = 7
"""Version of the record's layout.

History: 1, first; 2, prediction, and in a recipe validation and predict_mib; 3, in machine stepping, instructions,
limits, quota_cores, threads, driver and digest; 4, in a trial sources, and the digest of a split of files is one of
contents; 5, in a trial derivation, and in a model parent, sparsity, channels and compressed_bytes; training, in a trial
backend and device (before, a record's versions alone name the backend), and in model moved_activations; 6, log, in a
recipe accumulate, and in training micro_batch, micro_because, batch_statistics and out_of_memory; 7, in a derivation
members, in a recipe cycles, in a selection members, best and rounds, and in a model averaged and statistics_batches.
"""

TERM = "loss: "
"""Begins the name of a loss's term in a row of the history."""

Status = Literal["done", "unfit", "failed", "timed_out"]


@dataclass(frozen=True)
class Record:
    """One trial on one machine.

    reason: one line when status is not `done`; traceback: where an error that is not the input's came from.
    machine: as `records.machine` describes it; before schema 3 it has name, cpu, cores, memory_bytes, gpu, system.
    versions: python, unetbench, keras, backend and the like.
    git: commit and dirty of the code's checkout, empty when installed otherwise.
    task: the fields of the Task. data: number of cases by role and of unscored test cases, licence, citation, notes;
        of a stage of continual learning, batches (that of each test case) and kept (cases and bytes of earlier ones).
    model: trainable, total, macs, size (the size macs are counted at), weights_bytes, initial_weights,
        and missing_weights: why they are not those that the options ask for; moved_activations: numbers that one image
        makes the layers read and write (see `models.anatomy.traffic`).
        Of a trial that comes from another: parent (its id); `magnitude`: sparsity (total, and layers with path, zeros
        and size of each kernel) and compressed_bytes (the weights through zlib); `channels`: channels (before, after);
        `averaged`: averaged (of how many weights), statistics_batches (of which running statistics were taken anew).
    training: device (`cpu` or `gpu`), device_name, batch, first_step_s (with tracing and compilation), steps_s of the
        steps after it from before the batch is made until the loss is read, the first 1000, host_peak_bytes of the
        process while it trained, device_peak_bytes of a GPU's memory.
        Where a step took its batch in parts: micro_batch (patches of a part), batch_statistics (whether layers of the
        network take any, and then those of a part), and micro_because: why, where the recipe did not ask for it.
        Of a trial that failed for want of memory while it trained: out_of_memory (patches that were computed at once).
    selection: epoch, score, monitor, threshold, candidates; frozen before the first test case is predicted. Of a trial
        of a search also cases and dice, see `trial.run_search`. Of one made of stored weights, whose epoch is 0, also
        members (trial, snapshot or 0, weight, dice of validation), best (the trial of the member with the highest) and,
        of a greedy choice, rounds (trial, dice).
    prediction: windows (each with the number of test cases), mismatch of probabilities where windows overlap, a mean
        over the `overlapping` cases that have such pixels. Of a trial with `test_modalities`: conditions, one object
        for each: modalities (that tests had), how and reason (see `datasets.modalities.Seen`), scores (as below, none
        where the network got what it was trained with, so that they are those below), unscored (cases without, why).
    history: one object an epoch: epoch, loss, val_loss, val_dice, rate, train_s, validate_s.
    scores: one object a test case and class: case, group, class, tp, fp, fn, tn, `empty` (`none`, `truth`,
        `prediction` or `both`) and each metric's raw value, None where undefined; diagonal: of the image, in the unit
        of its distances; objects: numbers of true and predicted objects; matched: true positives among them at IoU 0.5,
        0.55 … 0.95. A metric that the case lacks something for has no key. No empty-mask policy is applied.
    latency: one object a runtime: runtime, device, batch, size, channels, dtype, warmup, samples_s.
    log: the last lines that libraries printed in the process of a trial that failed or was timed out.
    timing: seconds by phase (load_s, build_s, train_s, test_load_s, predict_s, score_s, conditions_s) and
        peak_bytes of the process.
    """

    trial: Trial
    status: Status
    reason: str = ""
    started: str = ""
    finished: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    git: dict[str, Any] = field(default_factory=dict)
    task: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    selection: dict[str, Any] = field(default_factory=dict)
    prediction: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    latency: list[dict[str, Any]] = field(default_factory=list)
    timing: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    traceback: str = ""
    log: list[str] = field(default_factory=list)
    schema: int = SCHEMA

    @property
    def ran(self) -> Trial:
        """The trial with the backend and the device that it ran on, also where only versions and machine tell them."""
        device = self.trial.device or self.training.get("device", "") or ("" if self.machine.get("gpu") else "cpu")
        return replace(self.trial, backend=self.versions.get("backend") or self.trial.backend, device=device)

    def to_json(self) -> str:
        """The record as JSON text, one line a list entry; NaN and infinities become null."""
        fields = {"schema": self.schema, "id": self.trial.id, **asdict(self)}
        parts = [f"{json.dumps(key)}: {_lines(finite(value))}" for key, value in fields.items()]
        return "{\n" + ",\n".join(parts) + "\n}\n"

    @classmethod
    def from_json(cls, text: str, source: str = "record", *, rows: bool = True) -> "Record":
        """Read a record back. Raises DamagedRecord when it is not one, StoreError for a later schema or another's id.

        rows: False leaves history and scores empty, which are most of a record and of the time to read it.
        """
        try:
            fields = parsed(text if rows else _without_rows(text))
            check(fields, "it", {"schema": WHOLE}, "schema", "id", "trial")
            schema, claimed = fields["schema"], fields.pop("id")
            if schema > SCHEMA:
                raise StoreError(f"{source}: schema {schema} is newer than {SCHEMA}; update unetbench to read it")
            check_record(fields)
            record = cls(**{**fields, "trial": Trial.from_json(fields["trial"])})
            own = record.trial.id
        except (ValueError, KeyError, TypeError, AttributeError, SpecError) as error:
            raise DamagedRecord(
                f"{source}: not a record ({one_line(error)}); delete the file to have the trial run again"
            ) from None
        if own != claimed:
            raise StoreError(f"{source}: the id {claimed} does not belong to its trial; the file was edited")
        return record


def finite(value: Any) -> Any:
    """The value with NaN and infinities, which JSON has not, as None; lists and mappings inside too."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value


def _without_rows(text: str) -> str:
    """The text of a record without history and scores where it is as `to_json` writes it, else as it is."""
    begin, end = text.find('\n"history": '), text.find('\n"latency": ')
    return text[:begin] + text[end:] if 0 < begin < end else text


def _lines(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(entry) for entry in value) + "\n]"
    return json.dumps(value)
