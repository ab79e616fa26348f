"""Which parts of the user's own trials depend on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...core.registry import SINGULAR, Registry
from ...core.sources import source_digest
from ...core.trial import Trial
from ...metrics import METRICS
from ...runtimes import RUNTIMES
from .context import Context


@dataclass(frozen=True)
class PartCheck:
    """An order to run one part of the user's own, as a trial uses it. key: as `Trial.sources` has it."""

    key: str
    trial: Trial

    @property
    def part(self) -> str:
        """How messages name it: `loss mine`."""
        kind, name = self.key.split(" ", 1)
        return f"{SINGULAR[kind]} {name}"


def part_checks(trials: Sequence[Trial], context: Context) -> list[tuple[PartCheck, list[Trial]]]:
    """A check of each part of the user's own, as each data set, option, patch and place uses it, and whom it spoils.

    Those of metrics and runtimes name no trials: all have them.
    """
    found: dict[tuple[object, ...], tuple[PartCheck, list[Trial]]] = {}
    for trial in trials:
        choices = {"datasets": trial.dataset, "models": trial.model, "losses": trial.loss}
        for key in trial.sources if not trial.is_untrained else ():  # the parts of its members, which are checked
            used = choices[key.split(" ", 1)[0]].canonical
            place = key, used, trial.dataset.canonical, trial.recipe.patch, trial.backend, trial.device
            found.setdefault(place, (PartCheck(key, trial), []))[1].append(trial)
    own = [("metrics", name) for name in own_metrics()] + [("runtimes", name) for name in own_runtimes(context)]
    whole = [(PartCheck(f"{kind} {name}", trial), []) for kind, name in own for trial in trials[:1]]
    return [*whole, *found.values()]


def own_metrics() -> dict[str, str]:
    """Digests of the sources of the metrics that do not ship with unetbench, by name. Raises SpecError."""
    return dict(_digests(METRICS, METRICS))


def own_runtimes(context: Context) -> dict[str, str]:
    """The same of the runtimes that the sweep names."""
    return dict(_digests(RUNTIMES, {runtime.name for runtime in context.runtimes}))


def _digests(registry: Registry, names: "Registry | set[str]") -> Iterator[tuple[str, str]]:
    for name in sorted(names):
        digest = source_digest(registry.part(name))
        if digest:
            yield name, digest
