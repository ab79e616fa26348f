"""The process that runs trials beside a dask worker."""

import pickle
from pathlib import Path

import pytest

from unetbench import __version__
from unetbench.benchmark.records.machine import machine
from unetbench.benchmark.run.cluster import agent as agents
from unetbench.benchmark.run.cluster.agent_process import AgentEnded, AgentProcess, environment
from unetbench.benchmark.run.cluster.orders import STOP, Setup
from unetbench.benchmark.trial.context import Context
from unetbench.datasets.source import Source


@pytest.fixture
def setup(tmp_path):
    mark = tmp_path / "sweep/.cluster-session"
    mark.parent.mkdir()
    mark.write_text("session")
    return Setup(Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path, "sweep"), 0.0, mark)


def test_what_dask_sets_for_its_workers_is_no_limit_of_the_machine():
    dasks = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "6640"}
    users = {"OMP_NUM_THREADS": "4", "PYTHONHASHSEED": "0", "PATH": "/bin"}
    assert environment(dasks) == {}
    assert environment(users) == users


def test_an_agent_says_where_it_is_and_ends_when_it_is_left(setup):
    agent = AgentProcess(pickle.dumps(setup), 1)
    try:
        assert (agent.site.version, agent.site.mark, agent.site.machine) == (__version__, "session", machine())
        assert agent.site.process == agent.process.pid
        agent.say(STOP, "an order that it has not")
        assert agent.is_alive()
    finally:
        agent.close()
    assert not agent.is_alive()
    with pytest.raises(AgentEnded, match="ended with status"):
        agent.ask("order", b"", print, {})


def test_an_agent_that_does_not_see_the_mark_says_so(setup, monkeypatch):
    monkeypatch.setattr(agents, "SEEN_S", 0.0)
    assert agents.site(setup.mark.with_name("none")).mark == ""
    assert agents.site(Path(setup.mark)).mark == "session"


def test_an_agent_without_orders_ends(setup, monkeypatch):
    monkeypatch.setattr(agents, "IDLE_S", 0.01)
    agent = agents.Agent(setup, 1, print)
    agent.work()
    assert not agent.crew.logs.exists()


def test_a_worker_gets_its_share_of_the_threads_and_times_nothing(setup):
    cores = machine()["cores"]
    crews = [agents.Agent(setup, threads, print).crew for threads in (cores, cores + 1, 1)]
    assert [crew.context.threads for crew in crews] == [0, 0, 1 if cores > 1 else 0]
    assert crews[0].context.latency is None
    for crew in crews:
        crew.close()
