"""Searches over a space of two numbers and a choice, with an objective that is computed and not trained."""

import hashlib
import math
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from unetbench.benchmark.sweep.space import Dimension
from unetbench.benchmark.sweep.tuning import Budget, Tuning
from unetbench.benchmark.tune.oracle import propose
from unetbench.benchmark.tune.outcome import Outcome
from unetbench.benchmark.tune.results import new_search
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial, canonical

SPACE = (
    Dimension("rate", "recipe", "rate", low=1e-4, high=1e-1, log=True),
    Dimension("augment.shift", "augment", "shift", low=0.0, high=0.5),
    Dimension("schedule", "recipe", "schedule", values=("plateau", "cosine", "constant")),
)


def make_default(epochs=9, **recipe):
    settings = Recipe(patch=(32, 32), epochs=epochs, **recipe)
    return Trial(Choice("cells"), {"digest": "0a1b"}, Choice("unet"), Choice("bce"), settings, 0)


def make_tuning(engine="random", *, trials=None, epochs=None, seconds=None, space=SPACE, **further):
    return Tuning(engine, space, Budget(trials, epochs, seconds), (1, 2), **{"initial": 5, **further})


def quality(trial):
    """Best at a rate of 0.01, a little better with less shift; from 0 to 1."""
    away = (math.log10(trial.recipe.rate) + 2) ** 2
    return max(0.0, 0.9 - 0.1 * away - 0.1 * trial.recipe.augment.shift)


def make_outcome(trial, until, score=None, *, status="done", reason="", trained=None, cases=None):
    """The outcome of a trial at an epoch, ten seconds an epoch; it learns slowly."""
    score = quality(trial) * (1 - 0.5**until) if score is None else score
    rows = [{"epoch": k + 1, "train_s": 9.0, "validate_s": 1.0, "val_dice": score} for k in range(trained or until)]
    told = [{"case": f"c{k}", "group": f"g{k}", "dice": value} for k, value in enumerate(cases or [score] * 8)]
    selection = {"epoch": 1, "dice": score, "cases": told} if status == "done" else {}
    return Outcome(until, Record(trial, status, reason, selection=selection, history=rows))


def quick(space, seed, number, told, is_new, *, by_model):
    """Draws at random, by what was told where the model would be asked, which takes keras-tuner a second."""
    if by_model:
        seed = int(hashlib.sha256(canonical([seed, [asdict(entry) for entry in told]]).encode()).hexdigest()[:8], 16)
    found = propose(space, seed, number, [], is_new, by_model=False)
    return None if found is None else replace(found, source="model" if by_model else "random")


class Player:
    """Trains by computing. book: outcomes by trial and epoch. order: the stages in the order they were trained."""

    def __init__(self, book=None, outcome=make_outcome):
        self.book, self.outcome, self.order = {} if book is None else book, outcome, []

    def play(self, search, *, most=math.inf, take=0):
        """Train what a search wants, one stage after another; `take` of those that may run is taken."""
        while (stages := search.advance(lambda *key: self.book.get(key))) and len(self.order) < most:
            stage = stages[min(take, len(stages) - 1)]
            self.book[stage.trial.id, stage.until] = self.outcome(stage.trial, stage.until)
            self.order.append(stage)
        return search


@pytest.fixture(scope="session")
def fake():
    return SimpleNamespace(
        space=SPACE,
        default=make_default,
        tuning=make_tuning,
        outcome=make_outcome,
        quality=quality,
        Player=Player,
        search=lambda tuning, kept=None, default=None, **further: new_search(
            default or make_default(), tuning, {} if kept is None else kept, **{"ask": quick, **further}
        ),
    )
