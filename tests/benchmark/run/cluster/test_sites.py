"""Which workers can be used: same version, same folder, same kind of machine, a GPU for each."""

from dataclasses import replace
from math import inf

import pytest

from unetbench import __version__
from unetbench.benchmark.records.machine import machine
from unetbench.benchmark.run.cluster.clusters import Cluster
from unetbench.benchmark.run.cluster.dask_crew import DaskCrew
from unetbench.benchmark.run.cluster.losses import MOST, Losses
from unetbench.benchmark.run.cluster.orders import Site
from unetbench.benchmark.run.cluster.remote_worker import Seat
from unetbench.benchmark.run.cluster.sites import free_gpu, refusal
from unetbench.benchmark.trial.context import Context
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

SITE = Site("node1", 7, __version__, machine(), (), "session")


def test_a_worker_like_the_first_is_used():
    assert not refusal(SITE, None, "session", "results/nuclei")
    assert not refusal(replace(SITE, host="node2"), SITE, "session", "results/nuclei")


@pytest.mark.parametrize(
    ("site", "told"),
    [
        (replace(SITE, version="0.0.1"), f"has unetbench 0.0.1, the driver {__version__}; install the same there"),
        (
            replace(SITE, mark=""),
            "does not see the results folder results/nuclei of the driver; give one that all share with --results DIR",
        ),
        (replace(SITE, mark="of another"), "does not see the results folder results/nuclei of the driver; "),
        (replace(SITE, machine={**machine(), "cpu": "VAX", "digest": "0"}), "is another machine (VAX"),
        (replace(SITE, machine={**machine(), "name": "lab"}), "is another machine ("),
    ],
)
def test_a_worker_that_cannot_be_used_is_told_in_one_line(site, told):
    reason = refusal(site, SITE, "session", "results/nuclei")
    assert reason.startswith(told)
    assert "\n" not in reason


def test_each_worker_of_a_host_has_a_gpu_of_its_own():
    two = replace(SITE, gpus=("GPU-a", "GPU-b"))
    sites = {"one": two, "two": two, "three": two, "far": replace(two, host="node2")}
    used = {}
    for address in sites:
        number = free_gpu(address, sites, used, ())
        used |= {} if number is None else {address: number}
    assert used == {"one": 0, "two": 1, "far": 0}


def test_gpus_that_the_sweep_does_not_name_are_left_alone():
    sites = {"one": replace(SITE, gpus=("GPU-a", "GPU-b")), "two": replace(SITE, gpus=("GPU-a", "GPU-b"))}
    assert free_gpu("one", sites, {}, (1,)) == 1
    assert free_gpu("two", sites, {"one": 1}, (1,)) is None
    assert free_gpu("one", sites, {}, (5,)) is None


def test_workers_that_see_the_same_gpu_by_other_numbers_do_not_share_it():
    sites = {"one": replace(SITE, gpus=("GPU-a", "GPU-b")), "two": replace(SITE, gpus=("GPU-b", "GPU-a"))}
    assert free_gpu("two", sites, {"one": 1}, ()) == 1


def test_a_trial_may_lose_workers_as_long_as_it_comes_further():
    trial = Trial(Choice("cells"), {}, Choice("unet"), Choice("dice"), Recipe((64, 64)), 0)
    losses = Losses()
    assert all(losses.blameless(trial, epoch) for epoch in range(10))
    told = [losses.blameless(trial, 9) for _ in range(MOST - 1)]
    assert told == [True] * (MOST - 2) + [False]
    assert losses.blameless(replace(trial, seed=1), 0)


def test_where_workers_see_gpus_only_those_with_one_of_their_own_get_trials(tmp_path, capsys):
    context = Context(Source(None, tmp_path), tmp_path, tmp_path, "sweep")
    crew = DaskCrew(Cluster("local:2", None, lambda count: None), context)
    crew.sites = {address: replace(SITE, gpus=("GPU-a",)) for address in ("one", "two")}
    crew._looked = inf  # nobody is asked
    assert crew.seats("gpu") == crew.seats("") == [Seat("one", 0)]
    assert crew.seats("cpu") == [Seat("one"), Seat("two")]
    told = "local:2: worker two on node1 has no GPU that no other worker has; it is left idle, but for trials on cpu"
    assert capsys.readouterr().err == f"unetbench: {told}\n"
    crew.sites = dict.fromkeys(("one", "two"), SITE)
    crew._gpus = {}
    assert crew.seats("") == [Seat("one"), Seat("two")]
