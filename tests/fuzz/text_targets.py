"""Readers of text: records and what lies beside them, sweep files, export folders, tables."""

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import values
from mutations import altered, mutated, texts
from prepared import Prepared


def record() -> Prepared:
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


def report() -> Prepared:
    """Records together: the tables and the page of a report, what `status` says, and the times that `plan` expects."""
    import argparse

    from unetbench.benchmark.commands.status import status
    from unetbench.benchmark.report.frame import frames
    from unetbench.benchmark.report.page.document import page
    from unetbench.benchmark.report.tables.summary import comparison_tables
    from unetbench.benchmark.report.tables.table import class_grid, results_grid
    from unetbench.benchmark.sweep.throughput import Throughput
    from unetbench.core.trial import Trial

    def read(folder: Path, content: bytes) -> object:
        home = folder / "records" / "desk"
        home.mkdir(parents=True)
        (folder / "sweep.yaml").write_text("name: small", "utf-8")
        for told in json.loads(content):
            with contextlib.suppress(Exception):
                told["id"] = Trial.from_json(told["trial"]).id
            key = str(told.get("id") if isinstance(told, dict) else None)
            (home / f"{key if re.fullmatch('[0-9a-f]{16}', key) else 'a'}.json").write_text(json.dumps(told))
        with contextlib.redirect_stdout(io.StringIO()):
            status(argparse.Namespace(results=folder, json=False))
        found = frames(folder, "nan_worst")
        quality = Throughput(found.records.values()).quality()
        tables = comparison_tables(found)
        grids = [(results_grid(table), class_grid(table)) for table in tables]
        return quality, grids, page(found, [(table, ()) for table in tables])

    seeds = [values.records()]
    return Prepared(altered(seeds).map(lambda told: json.dumps(told).encode()), read, [json.dumps(seeds[0]).encode()])


def _json(name: str, seeds: list[Any], act: Callable[[Path], object]) -> Prepared:
    """A file of JSON at a place in a folder."""

    def read(folder: Path, content: bytes) -> object:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return act(folder)

    return Prepared(texts(seeds), read, [json.dumps(seed).encode() for seed in seeds])


def deployments() -> Prepared:
    from unetbench.benchmark.records.deployments import deployments
    from unetbench.benchmark.report.deployments import judged

    def act(folder: Path) -> object:
        return [judged(found.trial, name, found.rows) for name, found in deployments(folder)]

    return _json(f"deployments/desk/{values.KEY}.json", values.deployments(), act)


def peaks() -> Prepared:
    from unetbench.benchmark.records.peaks import read_peaks

    def act(folder: Path) -> object:
        return [(found.convolution, found.bandwidth) for found in read_peaks(folder)]

    return _json("machines/desk/a.json", values.peaks(), act)


def planned() -> Prepared:
    from unetbench.benchmark.records.planned import read_planned

    return _json("planned.json", values.planned(), lambda folder: sorted(read_planned(folder).values()))


def claims() -> Prepared:
    from unetbench.benchmark.records.claims import Claims

    def act(folder: Path) -> object:
        looking = Claims(folder / "claims")
        return looking.all(), looking.others(), looking.holds(values.KEY)

    return _json(f"claims/{values.KEY}.0", values.claims(), act)


def measures() -> Prepared:
    from unetbench.benchmark.predict.inputs import Input
    from unetbench.benchmark.predict.outputs import Outputs, Wanted

    def act(folder: Path) -> object:
        made = Outputs(folder, Wanted(instances=True))
        return made.finished(Input(folder / "measures" / "a.json", "a")), made.write_tables()

    return _json("measures/a.json", values.measures(), act)


def listed() -> Prepared:
    from unetbench.benchmark.report.written import LIST, Written

    def act(folder: Path) -> object:
        made = Written(folder)
        made.finish()
        return made.problem

    return _json(LIST, [{"index.html": ["ab" * 32]}], act)


def export() -> Prepared:
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


def sweep() -> Prepared:
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


def resumed() -> Prepared:
    """The sweep.yaml of a results folder, as the report reads it, with its labels."""
    from unetbench.benchmark.naming.labels import Labels
    from unetbench.benchmark.records.store import read_sweep

    def act(folder: Path) -> object:
        found = read_sweep(folder)
        return Labels(found).dataset(values.TRIAL), Labels(found).model(values.TRIAL.model)

    return _json("sweep.yaml", values.sweeps(), act)


def table() -> Prepared:
    from unetbench.datasets.pair_table import by_table

    def read(folder: Path, content: bytes) -> object:
        for name in ("a.png", "b.png"):
            (folder / name).touch()
        (folder / "pairs.csv").write_bytes(content)
        return by_table(folder, "pairs.csv", {"cell": "mask"}, empty=False)

    return Prepared(mutated(values.TABLE), read, values.TABLE)
