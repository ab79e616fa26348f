"""What the process of a runtime says of its calls."""

import time

import numpy as np
import pytest

from unetbench.benchmark.deploy.session import Session


@pytest.fixture
def session(monkeypatch):
    """One whose network takes 9 s at the first call with images of a shape, as if it compiled, and then 1 s."""
    made, seen, clock = Session(), set(), [0.0]

    def run(images):
        clock[0] += 1.0 if images.shape in seen else 9.0
        seen.add(images.shape)
        return images

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    made.run = run
    return made


def test_the_first_call_is_the_one_that_compiles_though_others_were_made_since(session):
    images = np.zeros((1, 4, 4, 1), np.float32)
    for _ in range(3):
        session.forward(images)
    assert session.first(images) == 9.0
    assert session.time(images, 2) == [1.0, 1.0]


def test_the_first_call_of_another_batch_is_its_own_and_made_when_asked_for(session):
    session.forward(np.zeros((1, 4, 4, 1), np.float32))
    assert session.first(np.zeros((2, 4, 4, 1), np.float32)) == 9.0
