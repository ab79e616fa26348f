"""Data that does not fit where it is to be kept is told before anything is trained."""

from dataclasses import replace

import pytest

from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep import plan, room
from unetbench.benchmark.trial.context import Context
from unetbench.datasets.object_labels import ObjectLabels
from unetbench.datasets.source import Source


@pytest.fixture
def planned(tmp_path, write_sweep):
    data = [{"name": "cells", "count": 40, "size": [64, 64]}, {"name": "cells", "count": 30, "size": [64, 96]}]
    wanted = sweep.read(write_sweep(tmp_path, "two", datasets=data, models=["unet"]))
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path, "two")
    return plan.trials(wanted, context), context


def test_what_fits_is_not_spoken_of(planned):
    assert room.warnings(*planned) == []
    assert room.warnings(planned[0], replace(planned[1], cache="disk")) == []


def test_the_estimate_is_what_the_cases_and_tiles_take(planned):
    entry = planned[0][0]
    looks = plan.looked_at(entry.opened, {})
    cases = [entry.opened.hold(case) for role in ("train", "validation") for case in entry.opened.split.cases(role)]
    assert room.on_disk(entry.opened, looks) == sum(case.nbytes for case in cases)
    tiles = len(entry.opened.split.cases("validation")) * 64 * 64 * (4 + 1 + 1)
    assert room.in_memory(entry, entry.opened, looks) == sum(case.nbytes for case in cases) + 2 * tiles


def test_too_little_memory_is_told_once_a_data_set_with_the_option(planned, monkeypatch):
    monkeypatch.setattr(room, "memory_bytes", lambda: 1 << 18)
    first, second = room.warnings(*planned)
    assert first.startswith("cells: its training and validation cases take about 1 MiB of memory, there are 1 MiB; say")
    assert "`cache: disk` in the sweep file, or --cache disk" in second


def test_several_workers_hold_the_cases_several_times(planned, monkeypatch):
    entries, context = planned
    needed = room.in_memory(entries[0], entries[0].opened, plan.looked_at(entries[0].opened, {}))
    monkeypatch.setattr(room, "memory_bytes", lambda: 2 * needed)
    assert room.warnings(entries[:1], context, workers=2) == []
    (line,) = room.warnings(entries[:1], context, workers=3)
    assert "of memory for 3 workers" in line


def test_a_disk_without_room_is_told_unless_the_cases_are_there_already(planned, monkeypatch):
    entries, context = planned[0][:1], replace(planned[1], cache="disk")
    monkeypatch.setattr(room, "_free", lambda folder: 1000)
    (line,) = room.warnings(entries, context)
    assert f"take about 1 MiB in {context.cases}, where 1 MiB are free; `unetbench cache --clear`" in line
    opened = entries[0].opened
    for role in ("train", "validation"):
        opened.held(role, context.cases, ObjectLabels())
    assert room.warnings(entries, context) == []
