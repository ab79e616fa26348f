"""An export folder is made anew in its place: of its own files alone, and never of another runtime's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.deploy.candidate import Converters
from unetbench.benchmark.deploy.export import Export, Plan, begin, finish
from unetbench.core.task import Task
from unetbench.core.trial import Choice
from unetbench.datasets.prepare import Preprocess
from unetbench.runtimes.file_runtime import file_runtime

TASK = Task(2, 3, ("object",))
PLAN = Plan(TASK, TASK, Preprocess(), (16, 24), 0.5, 0.4, False, True, {"channels": "", "pages": "volume"}, trial={})
LITERT = file_runtime("litert", {})


class Converter:
    """A stand-in for the process that converts: its files say which runtime they are of, and for which batch."""

    def __init__(self):
        self.converted = []

    def ask(self, order, *values):
        if order == "open":
            return {"digest": "abc"}
        runtime, _, file, _, batch, *_ = values
        self.converted.append((runtime, batch))
        Path(file).write_text(f"{runtime} {batch}")
        return {}


def _finished(folder, plan=PLAN):
    begin(folder, LITERT).write_bytes(b"a network")
    return finish(folder, plan, "litert", LITERT, {"batch": 1, "network": "abc", "conversion": {}})


def test_what_else_lies_in_the_folder_stays_and_is_no_part_of_the_export(tmp_path):
    _finished(tmp_path)
    (tmp_path / "__pycache__").mkdir()  # Python makes it when session.py is imported
    np.save(tmp_path / "my labels.npy", np.zeros(3))
    (tmp_path / "network.xml").touch()  # of an export of another format
    export = _finished(tmp_path)
    assert (tmp_path / "__pycache__").is_dir()
    assert (tmp_path / "my labels.npy").is_file()
    assert not (tmp_path / "network.xml").exists()
    assert set(export.about["sha256"]) == {"network.tflite", "segment.py", "session.py"}


@pytest.mark.parametrize(("runtime", "batch"), [("litert_float16", 1), ("litert", 4)])
def test_a_folder_of_another_runtime_or_batch_is_converted_anew(tmp_path, runtime, batch):
    converter = Converter()
    converters = Converters(tmp_path / "a.keras", tmp_path, child=converter)
    folder = tmp_path / "network"
    for name, images in (("litert", 1), ("litert", 1), (runtime, batch)):
        converters.convert(Choice(name), file_runtime(name, {}), PLAN, batch=images, folder=folder)
    assert converter.converted == [("litert", 1), (runtime, batch)]
    assert (folder / "network.tflite").read_text() == f"{runtime} {batch}"
    assert json.loads((folder / "model.json").read_text())["runtime"] == runtime


def test_a_folder_with_other_settings_is_made_anew(tmp_path):
    converter = Converter()
    converters = Converters(tmp_path / "a.keras", tmp_path, child=converter)
    for plan in (PLAN, replace(PLAN, threshold=0.7)):
        converters.convert(Choice("litert"), LITERT, plan, folder=tmp_path / "network")
    assert Export.read(tmp_path / "network").about["threshold"] == 0.7
    assert len(converter.converted) == 2
