"""What `unetbench status` says of a tuning."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..records.claims import Claims
from ..tune.store import FOLDER


def tuning_state(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """What is told of each search below a sweep's folder, by machine. Raises StoreError."""
    from ..naming.labels import Labels
    from ..naming.trial_names import TrialNames
    from ..records.store import read_sweep
    from ..tune.results import searches_of

    searches = searches_of(folder)
    names = TrialNames([search.default for _, search, _ in searches], Labels(read_sweep(folder)))
    found: dict[str, list[dict[str, Any]]] = {}
    for machine, search, _ in searches:
        claims = {claim.key: claim for claim in Claims(folder / FOLDER / "claims" / machine).all() if claim.alive}
        scores = [attempt.score for attempt in search.attempts if attempt.score is not None and not attempt.failed]
        name = names[search.default]
        running = [(a.number, claims[a.trial.id]) for a in search.open if a.trial.id in claims]
        known, allowed = len(search.attempts), search.tuning.budget.trials or 0
        row = {
            "search": f"{name.dataset} · {name.model} · {name.loss}",
            "trials": known if search.finished else max(known + search.awaits, allowed),
            "over": known - len(search.open),
            "failed": sum(attempt.failed for attempt in search.attempts),
            "best": max(scores, default=None),
            "running": [{"trial": k, "doing": claim.progress or "begun", "host": claim.host} for k, claim in running],
        }
        found.setdefault(machine, []).append(row)
    return found


def tuning_text(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same as lines."""
    lines = ["tuning"] if rows else []
    for row in rows:
        best = "" if row["best"] is None else f", best validation Dice {row['best']:.3f}"
        lines.append(f"  {row['search']}: {row['over']} of {row['trials']} trials over, {row['failed']} failed{best}")
        lines += [f"      trial {entry['trial']}: {entry['doing']}; {entry['host']}" for entry in row["running"]]
    return lines
