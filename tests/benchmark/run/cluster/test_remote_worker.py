"""A dask worker behaves like a process with a pipe."""

from multiprocessing.connection import wait

import pytest

from unetbench.benchmark.run.cluster.orders import END, STOP
from unetbench.benchmark.run.cluster.remote_worker import Mailbox, RemoteWorker, Seat
from unetbench.benchmark.run.worker import STOP as STOP_TRIAL
from unetbench.benchmark.trial.places import Place
from unetbench.core.errors import Unavailable
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {}, Choice("unet"), Choice("dice"), Recipe((64, 64)), 0)


@pytest.fixture
def worker():
    said = []
    found = RemoteWorker(
        Seat("tcp://node1:1"),
        "node1",
        None,
        Place("tensorflow"),
        hardware={"name": "lab"},
        submit=lambda worker, order: said.append(order),
        say=lambda worker, word: said.append(word),
    )
    found.said = said
    yield found
    found.mailbox.close()


def test_messages_come_in_their_order_and_wake_who_waits():
    box = Mailbox()
    assert not wait([box], 0)
    box.put(("tell", 1))
    box.put(("record", 2))
    assert wait([box], 0) == [box]
    assert [box.recv(), box.recv()] == [("tell", 1), ("record", 2)]
    assert not box.poll()
    box.put(None)
    assert box.poll()
    with pytest.raises(EOFError):
        box.recv()
    box.close()
    box.put(("late", 3))  # from a thread that does not know yet


def test_orders_and_words_go_to_the_worker(worker):
    worker.send(TRIAL)
    worker.send(STOP_TRIAL)
    worker.send(None)
    worker.key = "order-1"
    worker.kill()
    worker.kill()
    assert worker.said == [TRIAL, STOP, END]


def test_a_lost_worker_ends_its_pipe_and_says_why(worker):
    worker.trial = TRIAL
    assert worker.is_alive()
    worker.lose("it is gone", blameless=True)
    with pytest.raises(EOFError):
        worker.pipe.recv()
    assert worker.is_lost()
    assert not worker.is_alive()
    assert worker.exit_reason() == "it is gone"


def test_a_worker_lost_in_a_check_ends_the_run_with_one_line(worker):
    worker.lose("worker tcp://node1:1 on node1 is gone", blameless=True)
    with pytest.raises(Unavailable, match=r"on node1 is gone while it checked a part; the same command goes on"):
        worker.exit_reason()
