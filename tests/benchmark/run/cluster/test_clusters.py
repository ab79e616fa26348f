"""Clusters of dask as they are begun and met; no trial is run."""

import socket
from contextlib import suppress

import dask.config
import pytest

from unetbench.benchmark.run.cluster.clusters import opened
from unetbench.benchmark.run.cluster.where import Where
from unetbench.core.errors import Unavailable


def test_a_second_cluster_on_a_host_is_begun_without_a_word(recwarn):
    """The port that dask opens by itself is taken there; that it takes another is nobody's concern."""
    with socket.socket() as other:
        with suppress(OSError):  # it is another's already
            other.bind(("127.0.0.1", 8787))
            other.listen()
        with opened(Where("local", count=1), "second", 1) as cluster:
            assert cluster.name == "local:1"
    assert not [warning for warning in recwarn if "already in use" in str(warning.message)]


def test_an_address_where_nobody_answers_is_one_line_with_the_mend():
    told = r"^tcp://127\.0\.0\.1:1: no scheduler of dask answers there \(OSError: .*\); `dask scheduler` starts one$"
    place = Where("address", "tcp://127.0.0.1:1")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "100ms"}),
        pytest.raises(Unavailable, match=told),
        opened(place, "nobody", 1),
    ):
        pass
