"""What runs on a dask worker: it begins an agent for each driver, and passes orders and answers on."""

import asyncio
import threading
import time

from distributed import Worker, WorkerPlugin, get_worker

from .agent_process import AgentProcess
from .orders import STOP, Answer, Site

GRACE_S = 300.0
"""Seconds that a worker which is closing gives its trial to reach the end of the epoch, and a checkpoint."""

_turn = threading.Lock()
_agents: dict[str, AgentProcess] = {}
_said: dict[str, str] = {}


async def site(session: str, setup: bytes, *, dask_worker: Worker) -> Site:
    """Begin the agent of a driver; returns where it is. Raises AgentEnded. session: names the driver."""
    await dask_worker.plugin_add(plugin=Leaving(session), name=_name(session), catch_errors=False)
    agent = await asyncio.to_thread(_agent, session, setup, dask_worker.state.nthreads)
    return agent.site


def perform(session: str, setup: bytes, key: str, order: bytes) -> Answer:
    """Have an order of a driver carried out, one at a time on this worker whoever the driver. Raises AgentEnded.

    What comes meanwhile is logged as dask's events under the driver's name.
    """
    worker = get_worker()
    try:
        while not _turn.acquire(timeout=0.5):
            if key in _said:
                return ("stopped",)
        try:
            agent = _agent(session, setup, worker.state.nthreads)
            return agent.ask(key, order, lambda event: worker.log_event(session, {"key": key, "event": event}), _said)
        finally:
            _turn.release()
    finally:
        _said.pop(key, None)


def say(word: str, session: str, key: str) -> None:
    """Say STOP or END about an order."""
    _said[key] = word
    agent = _agents.get(session)
    if agent is not None:
        agent.say(word, key)


async def leave(session: str, *, dask_worker: Worker) -> None:
    """End the agent of a driver."""
    dask_worker.plugins.pop(_name(session), None)
    agent = _agents.pop(session, None)
    if agent is not None:
        await asyncio.to_thread(agent.close)


class Leaving(WorkerPlugin):
    """Has a worker that closes, at the end of its lifetime for one, leave its trial with a checkpoint."""

    def __init__(self, session: str) -> None:
        self.session = session

    async def teardown(self, worker: Worker) -> None:
        """Ask for the end of the trial, wait for it, and end the agent."""
        agent = _agents.get(self.session)
        if agent is not None and agent.key:
            say(STOP, self.session, agent.key)
            end = time.monotonic() + GRACE_S
            while agent.key and agent.is_alive() and time.monotonic() < end:
                await asyncio.sleep(0.1)
        await leave(self.session, dask_worker=worker)


def _name(session: str) -> str:
    return f"unetbench-{session}"


def _agent(session: str, setup: bytes, threads: int) -> AgentProcess:
    agent = _agents.get(session)
    if agent is None or not agent.is_alive():
        agent = _agents[session] = AgentProcess(setup, threads)
    return agent
