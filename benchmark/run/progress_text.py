"""What progress says, in words: times, trials, where a sweep stands."""

import math
import re

from ...core.counted import counted
from ...core.record import Record
from .listener import SweepState, mean_dice
from .running import Running

TIMING = "time "
"""Begins the phase in which a runtime is timed, and its name follows."""


def duration(seconds: float) -> str:
    """Return a time as a person says it, to about a tenth: `40 s`, `12 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, tens = divmod(round(minutes / 10), 6)
    if hours < 48:
        return f"{hours} h {tens}0 min" if tens else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def standing(state: SweepState) -> str:
    """What is behind the number of trials: `2 failed, about 3 h left`; empty when there is nothing to say."""
    left = state.left_s if state.over < state.total else None
    words = [f"{state.failed} failed"] if state.failed else []
    return ", ".join([*words, f"about {duration(left)} left"] if left is not None else words)


def elsewhere(count: int) -> str:
    """What other drivers have: `2 trials are under way elsewhere`."""
    return f"{counted(count, 'trial')} {'is' if count == 1 else 'are'} under way elsewhere"


def waiting(count: int) -> str:
    """The line while nothing is left but what other drivers have."""
    return f"{elsewhere(count)}; waiting for {'it' if count == 1 else 'them'}"


def outcome(state: SweepState) -> str:
    """The line at the end: `12 trials: 3 settled before, 8 done, 1 failed; 12 min`."""
    counts = {"settled before": state.settled, **state.counts, "under way": len(state.running)}
    counts["to come"] = state.total - state.over - len(state.running)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    return f"{counted(state.total, 'trial')}: {told or 'none'}; {duration(state.spent_s)}"


def finished(state: SweepState, record: Record, name: str, running: Running | None) -> str:
    """The line of a trial that has its record; running: None when another driver ran it.

    A trial of a search has no scores of test cases; its Dice is that of validation, which its selection holds. Which
    worker of a cluster ran it stands at the end.
    """
    dice, of_search = mean_dice(record, state.policy), record.selection.get("dice")
    told = f"Dice {dice:.3f}" if dice is not None else record.reason
    if dice is None and of_search is not None:
        told = f"validation Dice {of_search:.3f}"
    took = duration(running.spent_s) if running else "elsewhere"
    took += f", {running.where}" if running and running.host else ""
    return f"[{state.over}/{state.total}] {name}: {record.status}, {told}, {took}"


def scores(running: Running) -> list[str]:
    """Loss of the epoch at hand, validation Dice of the last one, and the best score so far, as far as there are any.

    The best is of Dice or of the validation loss, whichever chooses the epoch.
    """
    best, by_loss = running.latest.get("best"), running.trial.training.monitor == "loss"
    found = (
        ("loss", running.loss, ".4f"),
        ("Dice", running.latest.get("val_dice"), ".3f"),
        ("best loss", -best, ".4f") if by_loss and best is not None else ("best", best, ".3f"),
    )
    return [f"{word} {value:{form}}" for word, value, form in found if value is not None and math.isfinite(value)]


def without_password(text: str) -> str:
    """The text with its addresses, `http://NAME:PASSWORD@HOST`, as `http://HOST`."""
    return re.sub(r"//[^/@\s]*@", "//", text)
