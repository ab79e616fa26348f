"""What progress, plans and tables call the trials of a sweep."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.trial import Choice, Derivation, Trial, canonical
from ...datasets.batches import words
from .labels import Labels
from .names import shared, short_names, without_batches


@dataclass(frozen=True)
class TrialName:
    """Data set, model and loss by their labels or short names.

    model: with the backend, device and precision in brackets, as far as they tell trials apart: `unet [jax, gpu]`.
    file: what files of the data set are called; the same as ever, so that links to them hold.
    """

    dataset: str
    model: str
    loss: str
    seed: int
    file: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.dataset} · {self.model} · {self.loss} · seed {self.seed}"


JOINED = 3
"""Names of an ensemble's members that are told one by one."""

HARDWARE: dict[str, Callable[[Trial], str]] = {
    "backend": lambda trial: trial.backend,
    "device": lambda trial: trial.device or "any device",
    "precision": lambda trial: trial.recipe.precision,
}
"""What a model is run on, as words: trials that differ in it are no seeds of one another."""


class TrialNames:
    """Names of these trials: two data sets, models, losses or hardware that differ have names that differ.

    A trial that comes from another has its step after the model: `unet, channels 0.5`. An ensemble is called by the
    models and losses of its members. A stage of continual learning has its batches last: `unet, fine-tuned, a → b`.
    """

    def __init__(self, trials: Iterable[Trial], labels: Labels | None = None) -> None:
        self._labels = labels or Labels({})
        listed = list(trials)
        whole = [(without_batches(trial.dataset)[0], trial) for trial in listed]
        datasets = {(dataset.canonical, self._labels.dataset(trial)): dataset for dataset, trial in whole}
        parts = [(choice, label) for (_, label), choice in datasets.items()]
        self._datasets = dict(zip(datasets, short_names(parts, by_base=True), strict=True)) if parts else {}
        files = short_names(parts, by_base=True, told=lambda choice: choice.label) if parts else []
        self._files = dict(zip(datasets, files, strict=True))
        self._models = _named((trial.model for trial in listed), self._labels.model)
        self._steps = _steps(trial.derivation for trial in listed)
        self._losses = _named((trial.loss for trial in listed), self._labels.loss)
        self._hardware = [word for word in HARDWARE.values() if len({word(trial) for trial in listed}) > 1]

    def __getitem__(self, trial: Trial) -> TrialName:
        dataset, arrived = without_batches(trial.dataset)
        key = dataset.canonical, self._labels.dataset(trial)
        model, loss = self._models[trial.model.canonical], self._losses[trial.loss.canonical]
        if trial.derivation is not None:
            of, step = trial.derivation.of, self._steps[_step_key(trial.derivation)]
            members = trial.derivation.members
            if members:
                model = _joined((self._name(self._models, member.model) for member in members), "models")
                loss = _joined((self._name(self._losses, member.loss) for member in members), "losses")
            if trial.derivation.step == "distil":
                step = step.replace(of.label, self._models.get(of.canonical, of.label))
            elif not members and of != trial.model:  # the parent comes from another one too
                model = of.label
            model = f"{model}, {step}"
        if arrived:
            model = f"{model}, {words(arrived)}"
        place = ", ".join(word(trial) for word in self._hardware)
        return TrialName(
            self._datasets[key], f"{model} [{place}]" if place else model, loss, trial.seed, self._files[key]
        )

    @staticmethod
    def _name(names: Mapping[str, str], choice: Choice) -> str:
        return names.get(choice.canonical, choice.label)


def _joined(names: Iterable[str], plural: str) -> str:
    """Different names joined, or how many there are where they are many."""
    distinct = list(dict.fromkeys(names))
    return " + ".join(distinct) if len(distinct) <= JOINED else f"{len(distinct)} {plural}"


def shared_options(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """The options that short names leave out, since all trials have them: `All models`, `normalisation=batch`."""
    models = {trial.model.canonical: trial.model for trial in trials}
    losses = {trial.loss.canonical: trial.loss for trial in trials}
    lines = []
    for kind, plural, choices in (("Model", "models", models), ("Loss", "losses", losses)):
        common = shared(list(choices.values())) if choices else {}
        if common and len(choices) > 1:
            lines.append((f"All {plural}", Choice("", common).settings))
        elif common:
            lines.append((kind, next(iter(choices.values())).label))
    return lines


def _steps(derivations: Iterable[Derivation | None]) -> dict[str, str]:
    """Names of steps, whichever trial they start from: without particulars where that tells them apart."""
    distinct = {_step_key(derivation): derivation for derivation in derivations if derivation is not None}
    options = {key: Choice(derivation.brief, derivation.options) for key, derivation in distinct.items()}
    alike: dict[str, list[Choice]] = {}
    for choice in options.values():
        alike.setdefault(choice.name, []).append(choice)
    common = {name: shared(choices) for name, choices in alike.items()}
    own = {
        key: Choice("", {k: v for k, v in choice.options.items() if k not in common[choice.name]})
        for key, choice in options.items()
    }
    return {key: f"{options[key].name} {own[key].label}".rstrip() for key in distinct}


def _step_key(derivation: Derivation) -> str:
    teacher = derivation.of.canonical if derivation.step == "distil" else ""
    return canonical([derivation.step, derivation.options, teacher, len(derivation.members)])


def _named(choices: Iterable[Choice], label_of: Callable[[Choice], str]) -> dict[str, str]:
    distinct = {choice.canonical: choice for choice in choices}
    parts = [(choice, label_of(choice)) for choice in distinct.values()]
    return dict(zip(distinct, short_names(parts), strict=True)) if parts else {}
