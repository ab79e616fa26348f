"""Tuned beside default on test cases, as a table with its notes, and as raw numbers."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...core.counted import counted
from ...core.measure import measure, signed
from ..report.frame import PRIMARY
from ..report.statistics.compare import compare, ranks
from ..report.statistics.intervals import MINIMUM_GROUPS
from ..report.tables.grid import Grid
from ..report.tables.table import UNDEFINED, estimate_text, rank_text
from ..sweep.space import text_of
from .oracle import Values
from .results import Scores, Tested, Tuned

DEFAULT_WON = "the default"


def difference_grid(tuned: Sequence[Tuned], title: str) -> Grid | None:
    """Test scores of the winner beside the default's, the best winner first; None before any is trained."""
    shown = [(one, one.test) for one in tuned if one.test is not None]
    shown.sort(key=lambda entry: -entry[1].tuned.estimate.mean)
    if not shown:
        return None
    reading = measure(PRIMARY)
    tests = [test for _, test in shown]
    before, after = (_ranks(tests, [scores(test).values for test in tests]) for scores in (_default, _winner))
    columns = {
        "Model": [one.name.model for one, _ in shown],
        "Loss": [one.name.loss for one, _ in shown],
        "Winner": [settings_text(one) for one, _ in shown],
        f"Default, {reading.title}": [_text(test.default) for test in tests],
        f"Tuned, {reading.title}": [_text(test.tuned) for test in tests],
        "Difference": [signed(test.difference.mean, 3) if test.difference else "0" for test in tests],
        "95\u00a0%\u00a0CI": [_interval(test) for test in tests],
        "p": [f"{test.difference.p:.3g}" if test.difference else UNDEFINED for test in tests],
        "Rank, default": before,
        "Rank, tuned": after,
        "Seeds": [str(len(test.seeds)) for test in tests],
        "Cases": [str(len(test.cases)) for test in tests],
    }
    return Grid(f"{title}: tuned beside default", tuple(columns), tuple(zip(*columns.values(), strict=True)), names=3)


def difference_notes(tuned: Sequence[Tuned]) -> list[str]:
    """How the comparison is made."""
    seeds = sorted({seed for one in tuned if one.test for seed in one.test.seeds})
    told = f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"
    lines = [
        f"Winner and default were trained anew with {told}, which the search did not use, "
        "and scored once on test cases. Dice is the mean over cases, ± the standard deviation over seeds.",
        "Difference: tuned less default, paired by seed and case; its interval is a bootstrap of whole groups of cases "
        "with Student's t over seeds, p a test by flipping signs of whole groups (docs/numbers.md).",
        *_collapse_notes(tuned),
        *_interval_notes(tuned),
        *_rank_notes([one.test for one in tuned if one.test is not None]),
    ]
    same = [one.label for one in tuned if one.winner is not None and not one.winner.number]
    if same:
        lines.append(
            f"No setting was better on validation than the default of {', '.join(same)}: it is its own winner."
        )
    return lines


def difference_frame(tuned: Sequence[Tuned]) -> pd.DataFrame:
    """Tuned beside default as raw numbers."""
    rows = []
    for one in tuned:
        if one.test is None:
            continue
        found = one.test.difference
        rows.append(
            {
                "data_set": one.name.dataset,
                "model": one.name.model,
                "loss": one.name.loss,
                "winner": settings_text(one),
                "default_dice": one.test.default.estimate.mean,
                "default_sd_seeds": one.test.default.estimate.spread,
                "tuned_dice": one.test.tuned.estimate.mean,
                "tuned_sd_seeds": one.test.tuned.estimate.spread,
                "default_collapsed": one.test.default.collapsed,
                "tuned_collapsed": one.test.tuned.collapsed,
                "difference": found.mean if found else 0.0,
                "low": found.low if found else math.nan,
                "high": found.high if found else math.nan,
                "p": found.p if found else math.nan,
                "seeds": " ".join(map(str, one.test.seeds)),
                "cases": len(one.test.cases),
                "groups": len(set(one.test.groups)),
            }
        )
    return pd.DataFrame(rows)


def settings_text(one: Tuned) -> str:
    """The settings that won, as far as they differ from the default's."""
    if one.winner is None or not one.winner.number:
        return DEFAULT_WON
    usual: Values = one.search.attempts[0].values
    changed = {key: value for key, value in one.winner.values.items() if value != usual.get(key)}
    return ", ".join(f"{key} {text_of(value)}" for key, value in changed.items())


def _default(test: Tested) -> Scores:
    return test.default


def _winner(test: Tested) -> Scores:
    return test.tuned


def _ranks(tests: Sequence[Tested], values: Sequence[np.ndarray]) -> list[str]:
    """Ranks among models that were scored on the same cases."""
    if len(tests) < 2 or len({test.cases for test in tests}) > 1:
        return [UNDEFINED] * len(tests)
    places = ranks(compare(values, tests[0].groups), len(tests))
    return [rank_text(places[index] if places else None) for index in range(len(tests))]


def _text(scores: Scores) -> str:
    return estimate_text(scores.estimate, measure(PRIMARY)) + ("†" if scores.collapsed else "")


def _collapse_notes(tuned: Sequence[Tuned]) -> list[str]:
    """Which settings have trainings that collapsed; their scores are in the means."""
    lines = []
    for one, test in ((one, one.test) for one in tuned if one.test is not None):
        for what, scores in (("the default", test.default), ("the tuned setting", test.tuned)):
            if scores.collapsed:
                trials = f"{scores.collapsed} of {counted(len(test.seeds), 'trial')}"
                lines.append(f"† {one.label}: {trials} of {what} collapsed, and the mean contains them.")
    return lines


def _interval_notes(tuned: Sequence[Tuned]) -> list[str]:
    """Which differences have no interval, and why."""
    tests = [(one.label, one.test) for one in tuned if one.test is not None and one.test.difference is not None]
    missing = [(label, test) for label, test in tests if test.difference and math.isnan(test.difference.low)]
    if not missing:
        return []
    names, most = ", ".join(label for label, _ in missing), max(_groups(test) for _, test in missing)
    if most < MINIMUM_GROUPS:
        return [f"No interval of {names}: {_groups_text(most)}; at least {MINIMUM_GROUPS} are needed."]
    return [
        f"No interval of {names}: fewer than {MINIMUM_GROUPS} groups of test cases have a defined score, or one group "
        "outweighs the others."
    ]


def _rank_notes(tests: Sequence[Tested]) -> list[str]:
    """What ranks mean, or why there are none."""
    if len(tests) < 2:
        return []
    if len({test.cases for test in tests}) > 1:
        return ["Not ranked: the models were not scored on the same cases."]
    if all(place == UNDEFINED for place in _ranks(tests, [test.tuned.values for test in tests])):
        return [f"Not ranked: {_groups_text(_groups(tests[0]))} cannot tell {len(tests)} models apart."]
    return [
        "Rank: the range of places among these models that paired tests leave open after Holm's correction, of the "
        "defaults and of the tuned ones."
    ]


def _groups(test: Tested) -> int:
    return len(set(test.groups))


def _groups_text(count: int) -> str:
    return f"{counted(count, 'independent group')} of test cases"


def _interval(test: Tested) -> str:
    found = test.difference
    return UNDEFINED if found is None or math.isnan(found.low) else f"[{signed(found.low, 3)}, {signed(found.high, 3)}]"
