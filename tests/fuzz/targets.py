"""The readers that are given wrong files, each with the files it is to refuse or read."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import files
import values
from hypothesis import strategies as st
from mutations import altered, mutated, texts

from unetbench.core.errors import UnetbenchError


class Prepared(NamedTuple):
    """inputs: what is drawn. read: reads one of them in a folder, or raises. valid: some that must be read."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Path, Any], object]
    valid: Sequence[Any]


@dataclass(frozen=True)
class Target:
    """A reader. weight: its part of a thousand inputs. prepare: loads what it needs. needs: a package that may lack."""

    name: str
    weight: float
    prepare: Callable[[], Prepared]
    needs: str = ""


def _picture(suffix: str, seeds: Callable[[], list[bytes]], sound: Callable[[bytes], bytes] = bytes) -> Prepared:
    """A format of images and masks. sound: makes checksums right, which then happens to half of the inputs."""
    from unetbench.datasets.readers import Reading, pages_in, read_image, read_mask

    valid = seeds()
    readings = [Reading(), Reading("last"), Reading("none", pages="cases"), Reading(pages="frames"), Reading("first")]
    readings += [Reading(exif="ignore", colours=True), Reading(threshold=0.5)]
    drawn = mutated(valid)
    inputs = st.tuples(drawn if sound is bytes else drawn | drawn.map(sound), st.sampled_from(readings))

    def read(folder: Path, drawn: tuple[bytes, Any]) -> object:
        content, reading = drawn
        file = folder / f"input{suffix}"
        file.write_bytes(content)
        acts = [lambda: read_image(file, reading), lambda: read_mask(file, reading)]
        acts += [lambda: pages_in(file, reading)] if reading.pages != "volume" else []
        return _first([_tried(act) for act in acts])

    return Prepared(inputs, read, [(content, Reading()) for content in valid])


def _archive(seeds: list[dict[str, bytes]], read: Callable[[Path, bytes], object]) -> Prepared:
    """An archive of arrays: its bytes changed, or those of a member before it was packed."""

    @st.composite
    def inside(draw: Callable[..., Any]) -> bytes:
        members = dict(draw(st.sampled_from(seeds)))
        name = draw(st.sampled_from(sorted(members)))
        members[name] = draw(mutated([members[name]]))
        return files.zipped_arrays(members)

    valid = [files.zipped_arrays(members) for members in seeds]
    return Prepared(mutated(valid) | inside(), read, valid)


def _tried(act: Callable[[], object]) -> object:
    try:
        return act()
    except UnetbenchError as error:
        return error


def _first(outcomes: Sequence[object]) -> object:
    """What the first act gave, or raised."""
    if isinstance(outcomes[0], UnetbenchError):
        raise outcomes[0]
    return outcomes[0]


def _npz() -> Prepared:
    from unetbench.datasets.readers import Reading, read_image, read_mask

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        acts = [lambda: read_image(file, Reading(array="image")), lambda: read_mask(file)]
        return _first([_tried(act) for act in acts])

    return _archive(files.npz(), read)


def _rows() -> Prepared:
    from unetbench.datasets.readers.rows import Rows

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        found = Rows(file, "train_images")
        return [found[index] for index in range(min(len(found), 4))]

    return _archive(files.rows(), read)


def _previews() -> Prepared:
    from unetbench.benchmark.report.plots.panel import read_previews

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.npz"
        file.write_bytes(content)
        return read_previews(file)

    return _archive(files.previews(), read)


def _checkpoint() -> Prepared:
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

    return _archive(files.checkpoints(), read)


def _record() -> Prepared:
    import json

    from unetbench.benchmark.records.store import read as read_record
    from unetbench.core.record import Record
    from unetbench.core.trial import Trial

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.json"
        file.write_bytes(content)
        found = read_record(file)
        again = Record.from_json(found.to_json())
        assert again.trial.id == found.trial.id
        return found.ran.label, found.trial.recipe.describe(), found.to_json().encode()

    def owned(told: Any) -> Any:
        """With the id that belongs to the trial as it was changed, where it is one."""
        with contextlib.suppress(Exception):
            told["id"] = Trial.from_json(told["trial"]).id
        return told

    seeds = values.records()
    changed = altered(seeds).map(owned).map(lambda told: json.dumps(told).encode())
    return Prepared(changed | texts(seeds), read, [json.dumps(seed).encode() for seed in seeds])


def _json(name: str, seeds: list[Any], act: Callable[[Path], object]) -> Prepared:
    """A file of JSON at a place in a folder."""
    import json

    def read(folder: Path, content: bytes) -> object:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return act(folder)

    return Prepared(texts(seeds), read, [json.dumps(seed).encode() for seed in seeds])


def _deployments() -> Prepared:
    from unetbench.benchmark.records.deployments import deployments
    from unetbench.benchmark.report.deployments import judged

    def act(folder: Path) -> object:
        return [judged(found.trial, name, found.rows) for name, found in deployments(folder)]

    return _json(f"deployments/desk/{values.KEY}.json", values.deployments(), act)


def _peaks() -> Prepared:
    from unetbench.benchmark.records.peaks import read_peaks

    def act(folder: Path) -> object:
        return [(found.convolution, found.bandwidth) for found in read_peaks(folder)]

    return _json("machines/desk/a.json", values.peaks(), act)


def _planned() -> Prepared:
    from unetbench.benchmark.records.planned import read_planned

    return _json("planned.json", values.planned(), lambda folder: sorted(read_planned(folder).values()))


def _claims() -> Prepared:
    from unetbench.benchmark.records.claims import Claims

    def act(folder: Path) -> object:
        looking = Claims(folder / "claims")
        return looking.all(), looking.of_others(values.KEY), looking.holds(values.KEY)

    return _json(f"claims/{values.KEY}.0", values.claims(), act)


def _measures() -> Prepared:
    from unetbench.benchmark.predict.inputs import Input
    from unetbench.benchmark.predict.outputs import Outputs, Wanted

    def act(folder: Path) -> object:
        made = Outputs(folder, Wanted(instances=True))
        return made.finished(Input(folder / "measures" / "a.json", "a")), made.write_tables()

    return _json("measures/a.json", values.measures(), act)


def _listed() -> Prepared:
    from unetbench.benchmark.report.written import LIST, Written

    def act(folder: Path) -> object:
        made = Written(folder)
        made.finish()
        return made.problem

    return _json(LIST, [{"index.html": ["ab" * 32]}], act)


def _export() -> Prepared:
    import hashlib
    import json

    from unetbench.benchmark.deploy.about import About
    from unetbench.benchmark.deploy.export import Export

    network = b"a network"
    digests = {"network.onnx": hashlib.sha256(network).hexdigest()}
    seeds = [{**told, "sha256": digests} for told in values.about()]

    def read(folder: Path, content: bytes) -> object:
        (folder / "network.onnx").write_bytes(network)
        (folder / "model.json").write_bytes(content)
        return About.of(Export.read(folder).about)

    return Prepared(texts(seeds), read, [json.dumps(seed).encode() for seed in seeds])


def _sweep() -> Prepared:
    import json

    import yaml

    from unetbench.benchmark.sweep import file as sweep
    from unetbench.core.trial import canonical

    def read(folder: Path, content: bytes) -> object:
        file = folder / "input.yaml"
        file.write_bytes(content)
        found = sweep.read(file)
        return canonical(found.resolved), [canonical(entry.choice.options) for entry in found.datasets]

    seeds = [yaml.safe_load((sweep.SHIPPED / f"{name}.yaml").read_text("utf-8")) for name in ("quick", "runtimes_2d")]
    seeds += values.sweeps()
    plain = [(sweep.SHIPPED / f"{name}.yaml").read_bytes() for name in ("quick", "losses")]
    plain.append(b"a: &a [1, 2]\nmodels: &b {name: unet}\ndatasets: [cells]\nlosses: [*a]\nrecipe: {<<: *b}\n")
    written = [json.dumps(seed).encode() for seed in seeds]
    return Prepared(texts(seeds) | mutated(plain, most=3), read, written + plain[:2])


def _resumed() -> Prepared:
    """The sweep.yaml of a results folder, as the report reads it, with its labels."""
    from unetbench.benchmark.naming.labels import Labels
    from unetbench.benchmark.records.store import read_sweep

    def act(folder: Path) -> object:
        found = read_sweep(folder)
        return Labels(found).dataset(values.TRIAL), Labels(found).model(values.TRIAL.model)

    return _json("sweep.yaml", values.sweeps(), act)


def _table() -> Prepared:
    from unetbench.datasets.pair_table import by_table

    def read(folder: Path, content: bytes) -> object:
        for name in ("a.png", "b.png"):
            (folder / name).touch()
        (folder / "pairs.csv").write_bytes(content)
        return by_table(folder, "pairs.csv", {"cell": "mask"}, empty=False)

    return Prepared(mutated(values.TABLE), read, values.TABLE)


def _zarr() -> Prepared:
    import json
    import shutil

    import numpy as np
    import zarr

    from unetbench.benchmark.predict.ome_zarr import WHOLE, open_ome_zarr

    made: dict[str, Any] = {}
    group = zarr.open_group(made, mode="w", zarr_format=3)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 0.5]}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    group.create_array("0", data=np.arange(63, dtype=np.uint8).reshape(7, 9), chunks=(4, 4))
    whole = {name: bytes(buffer.to_bytes()) for name, buffer in made.items()}
    described = sorted(name for name in whole if name.endswith("zarr.json"))

    @st.composite
    def inputs(draw: Callable[..., Any]) -> dict[str, bytes]:
        name = draw(st.sampled_from(described) | st.sampled_from(sorted(whole)))
        if name in described and draw(st.booleans()):
            changed = json.dumps(draw(altered([json.loads(whole[name])]))).encode()
        else:
            changed = draw(mutated([whole[name]]))
        return {**whole, name: changed}

    def read(folder: Path, content: dict[str, bytes]) -> object:
        home = folder / "input.zarr"
        shutil.rmtree(home, ignore_errors=True)
        for name, part in content.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(part)
        image = open_ome_zarr(home).image(WHOLE)
        return image[tuple(slice(0, min(edge, 64)) for edge in image.shape[:-1])]

    return Prepared(inputs(), read, [whole])


def _keras() -> Prepared:
    import json
    import os
    import tempfile
    import zipfile

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


PICTURES = {
    "png": lambda: _picture(".png", files.png, files.with_checksums),
    "jpeg": lambda: _picture(".jpg", files.jpeg),
    "bmp": lambda: _picture(".bmp", files.bmp),
    "webp": lambda: _picture(".webp", files.webp),
    "gif": lambda: _picture(".gif", files.gif),
    "jpeg2000": lambda: _picture(".jp2", files.jpeg2000),
    "netpbm": lambda: _picture(".pgm", files.netpbm),
    "tiff": lambda: _picture(".tif", files.tiff),
    "nifti": lambda: _picture(".nii", files.nifti),
    "nifti_gz": lambda: _packed_nifti(),
    "npy": lambda: _picture(".npy", files.npy),
    "npz": _npz,
    "npz_rows": _rows,
}


def _packed_nifti() -> Prepared:
    plain = _picture(".nii.gz", lambda: [files.gzipped(content) for content in files.nifti()])
    inside = st.tuples(mutated(files.nifti()).map(files.gzipped), st.just(plain.valid[0][1]))
    return Prepared(plain.inputs | inside, plain.read, plain.valid)


TARGETS = {
    target.name: target
    for target in (
        *(Target(name, 24, prepare) for name, prepare in PICTURES.items()),
        Target("record", 188, _record),
        Target("sweep", 110, _sweep),
        Target("sweep_of_results", 40, _resumed),
        Target("deployments", 70, _deployments),
        Target("peaks", 30, _peaks),
        Target("planned", 30, _planned),
        Target("claims", 40, _claims),
        Target("measures", 20, _measures),
        Target("report_list", 20, _listed),
        Target("export", 40, _export),
        Target("table", 40, _table),
        Target("checkpoint", 20, _checkpoint),
        Target("previews", 20, _previews),
        Target("ome_zarr", 10, _zarr, "zarr"),
        Target("keras", 10, _keras, "tensorflow"),
    )
}
