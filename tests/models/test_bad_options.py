"""Whatever value of the right type an option has, a recipe builds or is unfit in one line; nothing else is raised."""

import pytest

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS

NUMBERS = {int: (0, -1, 3), float: (-0.5, 1.0, 2.0), str: ("nothing",), bool: (False, True)}
CLASSES = ("background", "organ", "tumour")


def _odd(default) -> tuple[object, ...]:
    if isinstance(default, tuple):
        return ((), (0,), (-1,) * len(default), (*default[:-1], 3), (5, 5, 5, 5, 5, 5, 5))
    return tuple(value for value in NUMBERS.get(type(default), ()) if value != default)


@pytest.mark.parametrize("name", MODELS)
def test_an_odd_value_builds_or_is_unfit_in_one_line(name, options):
    """Another exception than Unfit fails this test by itself."""
    refused = 0
    for option, default in MODELS.part(name).options.items():
        for value in _odd(default):
            chosen = {**options(name), option: value}
            try:
                _ranked(name, chosen)
            except Unfit as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused


def _ranked(name, options):
    try:
        return MODELS[name](Task(2, 3, CLASSES, "exclusive"), **options)
    except Unfit as error:
        if "needs rank 3" not in str(error):
            raise
        return MODELS[name](Task(3, 3, CLASSES, "exclusive"), **options)
