"""Whether a .keras file is one of a network: plain layers and plain arrays, before Keras is given it.

Keras' safe mode refuses code that is stored in a file. Some versions of Keras import or call what the file names all
the same (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906), follow it to other files (CVE-2025-12058) or take the memory
that it claims (CVE-2026-0897), so what a file may name is said here too.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from ...core.arrays import damage, member, require_memory
from ...core.hdf5 import own_numbers
from ...core.json_text import parsed

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
"""Of a .keras file; a network has no other assets."""

MODULES = (
    "builtins", "keras.activations", "keras.constraints", "keras.initializers", "keras.layers", "keras.regularizers",
)  # fmt: skip
"""Of Keras, whose objects a network's layers are made of; all that is public there is a layer or a plain function."""

NAMES = {"keras": ("DTypePolicy", "Functional", "KerasTensor", "Model", "Sequential", "Variable")}
"""Of modules that have functions of all kinds beside, what may be named."""

OWN = ("keras.src.models.", "keras.src.ops.", "keras.src.dtype_policies.", "keras.src.layers.")
"""Begin the modules of Keras' own classes, as files name those without a public name."""

REFUSED = (
    "FlaxLayer", "Hashing", "IntegerLookup", "JaxLayer", "Lambda", "StringLookup", "TFSMLayer", "TextVectorization",
    "TorchModuleWrapper",
)  # fmt: skip
"""Layers that hold code or read files."""

PLAIN = ("__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__")
"""Values that Keras writes as if they were objects."""

SIZES = ("depth_multiplier", "filters", "input_dim", "output_dim", "units")
"""Options of layers that have at least so many weights."""


def require_plain(file: Path) -> None:
    """Raise ValueError in one line for a .keras file that names or holds what no network needs; OSError stays.

    A user's own layers may be named when they are registered, as their plugin does.
    """
    with damage():
        with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            names = sorted(archive.namelist())
            if names != sorted(MEMBERS):
                raise ValueError(f"it holds {', '.join(names)[:200] or 'nothing'}, not {', '.join(MEMBERS)}")
            require_memory(sum(member(archive, name).file_size for name in names))
            config = parsed(archive.read(MEMBERS[0]).decode())
            weights = archive.read(MEMBERS[2])  # to its end, where its checksum is compared
        count = own_numbers(io.BytesIO(weights))
        for told in _objects(config):
            _require_known(told)
            _require_sized(told, count)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a configuration that stands for an object, wherever it is."""
    open_ = [value]
    while open_:
        value = open_.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            open_ += value.values()
        elif isinstance(value, list):
            open_ += value


def _require_known(told: dict[str, Any]) -> None:
    name, module, registered = (told.get(key) for key in ("class_name", "module", "registered_name"))
    called = told.get("config") if name == "function" else name
    if not all(isinstance(text, str | None) for text in (name, module, registered)) or not isinstance(called, str):
        raise ValueError("its config.json names an object by something else than text")
    if name in PLAIN or {called, registered} & keras.saving.get_custom_objects().keys():
        return
    whole = f"{module}.{called}"
    known = module in MODULES or called in NAMES.get(module or "", ()) or (module or "").startswith(OWN)
    if not known or called in REFUSED:
        raise ValueError(f"it names {whole[:200]}, which no network is made of; one of your own needs --plugin")


def _require_sized(told: dict[str, Any], count: int) -> None:
    options = told.get("config")
    if not isinstance(options, dict):
        return
    for name in SIZES:
        if isinstance(options.get(name), int | float) and options[name] > max(count, 1):
            raise ValueError(f"it has a layer of {options[name]} {name} and {count} weights in all")
