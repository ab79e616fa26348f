"""A sweep with lighter steps: parents first, each step a trial with its own record, a second run trains nothing."""

import json

import pytest

from unetbench.benchmark.records.store import records


@pytest.fixture(scope="module")
def pruned(tmp_path_factory, command, write_sweep):
    folder = tmp_path_factory.mktemp("pruned")
    models = [{"name": "unet", "width": 4, "depth": 1}, {"name": "unet", "width": 2, "depth": 1, "label": "small"}]
    steps = [
        {"prune": "magnitude", "sparsity": 0.5, "models": ["small"], "epochs": 1},
        {"prune": "channels", "share": 0.5, "models": ["unet"], "epochs": 1},
        {"distil": "unet", "models": ["small"]},
    ]
    sweep = write_sweep(folder, "lighter", models=models, lighter=steps, losses=["dice"], previews=0)
    words = ("run", sweep, "--results", folder, "--json")
    return command(*words), folder, words


@pytest.mark.slow
def test_each_step_is_a_trial_after_its_parent(pruned):
    process, folder, _ = pruned
    assert process.returncode == 0, process.stderr
    found = {record.trial.id: record for record in records(folder / "lighter")}
    children = [record for record in found.values() if record.trial.derivation]
    assert sorted(record.trial.derivation.step for record in children) == ["channels", "distil", "magnitude"]
    for record in children:
        parent = found[record.trial.derivation.parent]
        assert record.status == "done", record.reason
        assert parent.finished <= record.started
        assert (record.trial.seed, record.trial.split) == (parent.trial.seed, parent.trial.split)
        assert record.latency
        assert len(record.scores) == len(parent.scores)


@pytest.mark.slow
def test_a_second_run_settles_the_children_too(pruned, command):
    _, _, words = pruned
    again = command(*words)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == {"settled": 5, "made": []}
