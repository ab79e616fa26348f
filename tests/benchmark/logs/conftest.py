"""How a log of events is read."""

import json
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from unetbench.benchmark.logs.events import EVENTS

EVENT = TypeAdapter(Annotated[reduce(or_, EVENTS), Field(discriminator="event")])


@pytest.fixture(scope="session")
def read_events():
    """A function that gives the events of a text, each line checked against the schema."""

    def read(text):
        for line in text.splitlines():
            event = EVENT.validate_json(line, strict=True)
            assert datetime.fromisoformat(event.time).utcoffset() == timedelta(0)
        return [json.loads(line, parse_constant=_refuse) for line in text.splitlines()]

    return read


def _refuse(name):
    pytest.fail(f"{name} is no JSON")
