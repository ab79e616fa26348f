"""A trial: one model trained once. Its id is a hash of everything that can change the outcome and nothing else."""

import hashlib
import json
import sys
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from .recipe import Recipe


@dataclass(frozen=True)
class Choice:
    """A part by name, with the options that differ from its defaults; options hold JSON values only."""

    name: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """How tables write it: `unet` or `unet(width=32)`."""
        return f"{self.name}({self.settings})" if self.settings else self.name

    @property
    def settings(self) -> str:
        """The options as text: `width=32, depth=3`."""
        return ", ".join(f"{k}={_plain(v)}" for k, v in self.options.items())

    @cached_property
    def canonical(self) -> str:
        """The same text for the same part and options, on every machine."""
        return canonical({"name": self.name, "options": self.options})

    @cached_property
    def unplaced(self) -> str:
        """The same text for the same part and options but `path`, which says where something is and not what."""
        return canonical({"name": self.name, "options": without_paths(self.options)})


@dataclass(frozen=True)
class Member:
    """A trained trial of an ensemble by its id, and the parts of it that names and plans tell."""

    trial: str
    model: Choice
    loss: Choice
    seed: int


UNTRAINED = ("ensemble", "snapshots", "averaged")
"""Steps that make a network of stored weights and train nothing."""


@dataclass(frozen=True)
class Derivation:
    """How a trial comes from another one that is trained, or from several.

    step: `magnitude` or `channels` (pruning), which start from the parent's weights, or `distil`, whose parent teaches;
        `update`, which starts from them too and trains on data that came later, in one of `METHODS`;
        `ensemble`, the mean of what members say, `snapshots`, the same of weights that one training passed through, or
        `averaged`, the mean of such weights.
    parent: the id of the trial that it comes from, of the first of several. of: that trial's model, with its own step
        where it has one.
    options: of the step; `epochs` and `rate` are those of the training that follows, else as the recipe says; of an
        update `method`, and what belongs to it.
    members: of the `UNTRAINED` steps, the trials whose weights they take.
    """

    step: str
    parent: str
    of: Choice
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    members: tuple[Member, ...] = ()

    @property
    def brief(self) -> str:
        """What is done, without particulars: `channels 0.5`, `taught by unet`, `mean of 3 seeds`, `swa`."""
        if self.step == "distil":
            return f"taught by {self.of.label}"
        if self.step == "update":
            word, main = METHODS[self.options["method"]]
            return f"{word} {self.options[main]:g}" if main else word
        if self.step in UNTRAINED:
            return self._untrained_brief
        return f"{self.step} {self.options.get('share', self.options.get('sparsity'))}"

    @property
    def _untrained_brief(self) -> str:
        copies = str(self.options.get("copies", ""))
        over = self.options.get("over", ())
        if self.step == "averaged":
            brief = str(self.options["by"])
        elif self.step == "snapshots":
            brief = f"mean of {self.options['last']} snapshots"
        elif len(self.members) > 1:
            kind = over[0] if len(over) == 1 else "trials"
            brief = f"{'choice' if self.options.get('choose') == 'greedy' else 'mean'} of {len(self.members)} {kind}"
        else:
            return f"mean of {COPIES[copies]}"
        return f"{brief}, {COPIES[copies]}" if copies else brief

    @property
    def particulars(self) -> dict[str, Any]:
        """The options that `brief` does not tell."""
        told = ("share", "sparsity", "by", "last", "over", "copies") if self.members else ("share", "sparsity")
        if self.step == "update":
            told = ("method", METHODS[self.options["method"]][1])
        return {name: value for name, value in self.options.items() if name not in told}

    @property
    def label(self) -> str:
        """With all options: `channels 0.5 (epochs=10, rate=0.001)`."""
        rest = self.particulars
        return f"{self.brief} ({Choice('', rest).settings})" if rest else self.brief

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the trials that must be done before."""
        return tuple(dict.fromkeys(member.trial for member in self.members)) or (self.parent,)

    def identity(self) -> dict[str, Any]:
        """The fields that count for a trial's id; members only where there are any, as before there were."""
        own = asdict(self)
        return own if self.members else {name: value for name, value in own.items() if name != "members"}


METHODS = {
    "finetune": ("fine-tuned", ""),
    "replay": ("replay of", "keep"),
    "ewc": ("EWC", "weight"),
    "lwf": ("LwF", "weight"),
    "average": ("averaged", "share"),
}
"""Ways of an update by name: in words, and the option that is told with them. See `benchmark.trial.update`."""


COPIES = {"mirror": "mirrored copies", "turns": "turned and mirrored copies"}
"""Copies of an image over whose predictions an ensemble averages, in words."""


@dataclass(frozen=True)
class Trial:
    """Dataset, split, model, loss, recipe and seed, and the backend and kind of device that compute.

    dataset: its options may hold `path`, which says where and not what and is no part of the id, and `preprocess` and
        `objects`, how predicted masks become objects, where they differ from the default. Of an update by data of its
        own also `later`: name, options and split of each data set that came since, see `trial.later`.
    split: the options of the split and `digest`, a hash of which case has which role and of the files' contents, so
        that data that changed makes another trial.
    sources: digests of the sources of its parts that do not ship with unetbench, by registry and name (`losses mine`).
    derivation: what it comes from, None for a trial of its own. Where it is one of pruning, `model` is the parent's.
        Of an ensemble model, loss and seed are those of the first member.
    backend: of Keras. Its random numbers and its kernels are its own, so that each backend begins with other weights.
    device: `cpu`, `gpu`, or "" for the one that the backend takes by itself. Which of several GPUs it is changes no
        outcome and stands in the record only.
    """

    dataset: Choice
    split: dict[str, Any] = field(hash=False)
    model: Choice
    loss: Choice
    recipe: Recipe
    seed: int
    sources: dict[str, str] = field(default_factory=dict, hash=False)
    derivation: Derivation | None = None
    backend: str = "tensorflow"
    device: str = ""

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the canonical JSON."""
        fields = {"dataset": self.dataset.unplaced, "loss": self.loss.canonical, "model": self.model.canonical}
        fields |= {"recipe": self.recipe.canonical, "seed": canonical(self.seed), "split": canonical(self.split)}
        if self.derivation is not None:  # this and the following are named where they differ from before they counted
            fields["derivation"] = canonical(self.derivation.identity())
        for name, value, usual in (
            ("sources", self.sources, {}),
            ("backend", self.backend, "tensorflow"),
            ("device", self.device, ""),
        ):
            if value != usual:
                fields[name] = canonical(value)
        # Put together from the texts of its parts, which the trials of a sweep share: of 100,000 it matters.
        text = ",".join(f'"{name}":{fields[name]}' for name in sorted(fields))
        return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()[:16]

    @property
    def training(self) -> Recipe:
        """The recipe as this trial trains: after a pruning or an update for the step's epochs, at its rate.

        There is no warm-up after a pruning.
        """
        if self.derivation is None or self.derivation.step == "distil" or self.is_untrained:
            return self.recipe
        options = self.derivation.options
        if self.derivation.step == "update":
            epochs, rate = options.get("epochs", self.recipe.epochs), options.get("rate", self.recipe.rate)
            return replace(self.recipe, epochs=epochs, rate=rate)
        return replace(self.recipe, epochs=options["epochs"], rate=options["rate"], warmup=0)

    @property
    def is_untrained(self) -> bool:
        """Whether it is made of the weights of others and trains nothing."""
        return self.derivation is not None and self.derivation.step in UNTRAINED

    @cached_property
    def network_key(self) -> str:
        """Trials with equal keys can share a network and its traced prediction."""
        recipe = self.recipe
        own = f"{self.model.canonical},{self.dataset.canonical}"
        own += f",{canonical([recipe.patch, recipe.precision, recipe.predict_mib])}"
        # One text for all that share it: of 100,000 trials it matters.
        return sys.intern(own if self.derivation is None else f"{own},{canonical(self.derivation.identity())}")

    @cached_property
    def compile_key(self) -> str:
        """Trials with equal keys differ in data, rate, schedule or seed only and can share a compiled model."""
        recipe = self.recipe
        traced = [recipe.batch, recipe.micro_batches, recipe.optimizer, recipe.weight_decay, recipe.clip_norm]
        if recipe.consistency:
            traced += [recipe.consistency, recipe.teacher_decay, recipe.augment.flips]
        return sys.intern(f"{self.network_key},{self.loss.canonical},{canonical(traced)}")

    @property
    def label(self) -> str:
        """How progress bars and errors name it."""
        return f"{self.dataset.label} · {self.network} · {self.loss.label} · seed {self.seed}"

    @property
    def network(self) -> str:
        """The model with its options and, where it comes from another trial, what was done."""
        return f"{self.model.label}, {self.derivation.brief}" if self.derivation else self.model.label

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Trial":
        """Rebuild a trial from `dataclasses.asdict` of it, after a journey through JSON."""
        dataset, model, loss = (Choice(**fields[name]) for name in ("dataset", "model", "loss"))
        recipe, sources = Recipe.from_json(fields["recipe"]), fields.get("sources", {})
        derivation = fields.get("derivation")
        if derivation is not None:
            members = tuple(_member(told) for told in derivation.get("members", ()))
            derivation = Derivation(**{**derivation, "of": Choice(**derivation["of"]), "members": members})
        hardware = {name: fields[name] for name in ("backend", "device") if name in fields}
        return cls(
            dataset, fields["split"], model, loss, recipe, fields["seed"], sources, derivation=derivation, **hardware
        )


def _member(told: dict[str, Any]) -> Member:
    return Member(told["trial"], Choice(**told["model"]), Choice(**told["loss"]), told["seed"])


def without_paths(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a data set without `path`, of the data sets that it has under `later` too."""
    found = {name: value for name, value in options.items() if name != "path"}
    if "later" in found:
        found["later"] = [{**one, "options": without_paths(one["options"])} for one in found["later"]]
    return found


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the same text for the same values, on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(part, dict) and "name" in part for part in value):
        return " + ".join(map(_term, value))
    return value if isinstance(value, str) else json.dumps(value)


def _term(part: dict[str, Any]) -> str:
    """A part of a weighted sum: `0.7 tversky(beta=0.8)`."""
    label = Choice(part["name"], part.get("options") or {}).label
    return f"{part['weight']:g} {label}" if "weight" in part else label
