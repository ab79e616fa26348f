"""Readers of what holds networks and their state."""

import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import files
from hypothesis import strategies as st
from mutations import altered, mutated
from prepared import Prepared, archive

from unetbench.core.errors import UnetbenchError


def checkpoint() -> Prepared:
    from unetbench.benchmark.trial.checkpoint import Damaged, load

    class Model:
        """What a checkpoint is put back into."""

        def state(self) -> list[Any]:
            return list(files.STATE)

        def get_weights(self) -> list[Any]:
            return list(files.STATE)

        def restore(self, state: list[Any]) -> None:
            assert [array.shape for array in state] == [array.shape for array in files.STATE]

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        try:
            return load(file, Model())  # pyright: ignore[reportArgumentType]
        except Damaged as error:  # which training takes for a beginning anew
            raise UnetbenchError(str(error)) from None

    return archive(files.checkpoints(), read)


def previews() -> Prepared:
    from unetbench.benchmark.report.plots.panel import read_previews

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        return read_previews(file)

    return archive(files.previews(), read)


def keras() -> Prepared:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from unetbench.benchmark.trial.saved_network import saved_network
    from unetbench.core.task import Task
    from unetbench.models import MODELS

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.keras"
        MODELS["unet"](Task(2, 1, ("cell",)), width=2, depth=1).save(file)
        with zipfile.ZipFile(file) as archive:
            whole = {name: archive.read(name) for name in archive.namelist()}

    @st.composite
    def inputs(draw: Callable[..., Any]) -> bytes:
        kind = draw(st.sampled_from(("config", "config", "weights", "archive")))
        if kind == "archive":
            return draw(mutated([files.zipped(whole)]))
        if kind == "weights":
            return files.zipped({**whole, "model.weights.h5": draw(mutated([whole["model.weights.h5"]]))})
        config = json.dumps(draw(altered([json.loads(whole["config.json"])]))).encode()
        return files.zipped({**whole, "config.json": config})

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.keras"
        file.write_bytes(content)
        return saved_network(file)

    return Prepared(inputs(), read, [files.zipped(whole)])
