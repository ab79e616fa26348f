"""What a tuning says, as tables: what was tried, tuned beside default, what matters, and every trial."""

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from ..report.tables.grid import Grid
from ..report.tables.table import UNDEFINED, digits
from ..sweep.space import text_of
from ..sweep.tuning import Budget
from .attempt import Attempt
from .importance import METHOD
from .outcome import SCORE
from .results import Tuned


def budget_grid(tuned: Sequence[Tuned], title: str) -> Grid:
    """What each search tried and used."""
    cells = []
    for one in tuned:
        search = one.search
        counts = Counter(_state(one, attempt) for attempt in search.attempts)
        winner = one.winner
        cells.append(
            (
                one.name.model,
                one.name.loss,
                str(len(search.attempts)),
                str(counts["failed"]),
                str(counts["stopped"]),
                str(search.epochs),
                digits(search.seconds / 60),
                _score(search.attempts[0]) if search.attempts else UNDEFINED,
                _score(winner) if winner else UNDEFINED,
                str(winner.number) if winner else UNDEFINED,
            )
        )
    score = f"validation {SCORE.title}"
    headers = ("Model", "Loss", "Trials", "Failed", "Stopped", "Epochs", "Training [min]")
    headers += (f"Default, {score}", f"Best, {score}", "Found by trial")
    return Grid(f"{title}: what was tried", headers, tuple(cells))


def budget_notes(tuned: Sequence[Tuned]) -> list[str]:
    """Engine, budget and space, and what went wrong."""
    lines = []
    for engine in dict.fromkeys(_engine_text(one) for one in tuned):
        lines.append(engine)
    budgets = dict.fromkeys(_budget_text(one.search.tuning.budget) for one in tuned)
    lines.append(f"Budget of each search: {' or '.join(budgets)}; trial 0 is the default and inside it.")
    lines.append(
        "Every trial of the search was trained with the same seed and scored on whole validation cases; no test case "
        "was read. Epochs are those really trained, seconds those of training and of validation after each epoch."
    )
    spaces: dict[str, list[str]] = {}
    for one in tuned:
        text = "; ".join(f"{dimension.key}: {dimension.described()}" for dimension in one.search.space)
        spaces.setdefault(text, []).append(one.label)
    for text, labels in spaces.items():
        whose = f" of {', '.join(labels)}" if len(spaces) > 1 else ""
        lines.append(f"Space{whose}: {text}.")
    return lines + [f"{one.label}: {one.problem}" for one in tuned if one.problem]


def importance_grid(tuned: Sequence[Tuned], title: str) -> Grid:
    """Share of the score's variance that each hyper-parameter explains by itself."""
    keys = list(dict.fromkeys(dimension.key for one in tuned for dimension in one.search.space))
    cells = []
    for one in tuned:
        shares = one.importance.shares
        known = [_share(shares[key]) if key in shares else "" for key in keys]
        cells.append(
            (one.name.model, one.name.loss, *known, str(one.importance.trials), _share(one.importance.explained))
        )
    return Grid(f"{title}: importance", ("Model", "Loss", *keys, "Trials", "Explained of unseen"), tuple(cells))


def importance_notes(tuned: Sequence[Tuned]) -> list[str]:
    """The method, and where the shares are uncertain."""
    lines = [f"{METHOD}."]
    for one in tuned:
        at = f", as they stood after epoch {one.importance.until}" if one.importance.until < one.search.full else ""
        if one.importance.warning or at:
            lines.append(f"{one.label}: {one.importance.warning or f'{one.importance.trials} trials'}{at}.")
    return lines


def trials_frame(tuned: Sequence[Tuned]) -> pd.DataFrame:
    """Every trial of every search, a row each, in base units."""
    rows = []
    for one in tuned:
        for attempt in one.search.attempts:
            rows.append(
                {
                    "data_set": one.name.dataset,
                    "model": one.name.model,
                    "loss": one.name.loss,
                    "machine": one.machine,
                    "trial": attempt.number,
                    "source": attempt.source,
                    "state": _state(one, attempt),
                    "score": attempt.last.score if attempt.last and attempt.last.done else math.nan,
                    "epochs": attempt.epochs,
                    "seconds": attempt.seconds,
                    **{key: text_of(value) for key, value in attempt.values.items()},
                    "reason": attempt.stopped or (attempt.last.reason if attempt.last and attempt.failed else ""),
                    "id": attempt.trial.id,
                }
            )
    return pd.DataFrame(rows)


def _engine_text(one: Tuned) -> str:
    tuning, versions = one.search.tuning, one.about.get("versions", {})
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    words = {
        "random": "settings drawn at random",
        "bayesian": f"a Gaussian process asked after the first {tuning.initial} trials",
        "hyperband": f"settings drawn at random, rungs by {tuning.factor} that go on from checkpoints",
    }
    stop = ""
    if tuning.stop_after:
        after = ", ".join(map(str, tuning.stop_after))
        stop = (
            f"; a trial ends after epoch {after} where a paired test on validation cases finds it worse than the best"
        )
    return f"Engine: {tuning.engine}, {words[tuning.engine]} ({told}; seed {tuning.seed}){stop}."


def _budget_text(budget: Budget) -> str:
    parts = [f"{budget.trials} trials" if budget.trials else "", f"{budget.epochs} epochs" if budget.epochs else ""]
    return ", ".join(filter(None, [*parts, f"{budget.seconds:g} s of training" if budget.seconds else ""]))


def _state(one: Tuned, attempt: Attempt) -> str:
    if attempt.failed:
        return "failed"
    if attempt.stopped:
        return "stopped"
    return "done" if one.search.full in attempt.outcomes else "to come"


def _score(attempt: Attempt) -> str:
    return SCORE.text(attempt.last.score) if attempt.last and attempt.last.done else UNDEFINED


def _share(value: float) -> str:
    return UNDEFINED if math.isnan(value) else f"{value:.2f}"
