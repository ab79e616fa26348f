"""The lighter steps of a sweep file become trials that know their parents; every mistake is one line."""

from dataclasses import replace

import pytest

from unetbench.benchmark.sweep import file as sweep
from unetbench.core.errors import SpecError
from unetbench.core.trial import Trial

TEXT = """
datasets: [cells]
models: [unet, {name: unet, width: 8, label: small}, attention_unet]
losses: [bce, dice]
recipe: {epochs: 30, warmup: 2}
"""


def _read(tmp_path, steps):
    file = tmp_path / "lighter.yaml"
    file.write_text(f"{TEXT}lighter:\n{steps}")
    return sweep.read(file)


def _trained(found):
    data = found.datasets[0]
    return [
        Trial(data.choice, {}, model, loss, data.recipe, seed)
        for model in found.models
        for loss in found.losses
        for seed in (0, 1)
    ]


def test_a_pruning_makes_a_child_of_every_trial_of_its_models(tmp_path):
    found = _read(tmp_path, "  - {prune: channels, share: 0.5, models: [unet, small], rate: 1e-4}")
    trained = _trained(found)
    children = list(found.lighter[0].trials(trained))
    assert [child.derivation.parent for child in children] == [trial.id for trial in trained[:8]]
    assert {(child.training.epochs, child.training.rate, child.training.warmup) for child in children} == {(6, 1e-4, 0)}
    assert {child.recipe for child in children} == {trained[0].recipe}
    assert {(child.derivation.step, child.derivation.brief) for child in children} == {("channels", "channels 0.5")}
    assert all(
        (child.seed, child.split) == (trial.seed, trial.split)
        for child, trial in zip(children, trained[:8], strict=True)
    )


def test_without_models_all_are_pruned_and_the_rate_is_the_recipes(tmp_path):
    found = _read(tmp_path, "  - {prune: magnitude, sparsity: 0.8, ranking: global, epochs: 9}")
    children = list(found.lighter[0].trials(_trained(found)))
    assert len(children) == 12
    assert children[0].derivation.options == {"sparsity": 0.8, "ranking": "global", "epochs": 9, "rate": 1e-3}


def test_an_option_at_its_default_makes_no_other_trial(tmp_path):
    short, full = (
        _read(tmp_path, f"  - {{prune: channels, share: 0.5{more}}}") for more in ("", ", ranking: layer, multiple: 1")
    )
    assert short.lighter == full.lighter


def test_a_teacher_of_the_same_loss_and_seed_teaches_each_student(tmp_path):
    found = _read(tmp_path, "  - {distil: attention_unet, models: [small], weight: 0.3}")
    trained = _trained(found)
    children = list(found.lighter[0].trials(trained))
    assert [child.derivation.parent for child in children] == [trial.id for trial in trained[8:]]
    assert all(child.model.options == {"width": 8} for child in children)
    assert [(child.loss, child.seed) for child in children] == [(trial.loss, trial.seed) for trial in trained[8:]]
    assert children[0].training == children[0].recipe
    assert children[0].derivation.options == {"weight": 0.3, "temperature": 2.0}
    assert children[0].derivation.brief == "taught by attention_unet"


def test_a_teacher_computes_where_its_student_does(tmp_path):
    found = _read(tmp_path, "  - {distil: unet, models: [small]}")
    one = _trained(found)
    half = [replace(trial, recipe=replace(trial.recipe, precision="mixed_bfloat16")) for trial in one]
    elsewhere = [replace(trial, backend="jax", device="gpu") for trial in one]
    trained = [*one, *half, *elsewhere]
    for child in found.lighter[0].trials(trained):
        (parent,) = (trial for trial in trained if trial.id == child.derivation.parent)
        assert (parent.recipe, parent.backend, parent.device) == (child.recipe, child.backend, child.device)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "{prune: channel, share: 0.5}",
            "lighter[0].prune: way of pruning 'channel' is unknown; did you mean 'channels'",
        ),
        ("{prune: [channels]}", "lighter[0].prune: way of pruning"),
        ("{prune: channels}", "lighter[0]: share is missing"),
        ("{prune: channels, share: 1.5}", "lighter[0]: share: input should be less than 1, came 1.5"),
        ("{prune: magnitude, sparsity: 0.5, share: 0.5}", "lighter[0]: key 'share' is unknown"),
        ("{prune: magnitude, sparsity: true}", "lighter[0]: sparsity: input should be a valid number, came True"),
        (
            "{sparsity: 0.5}",
            "lighter[0]: {'sparsity': 0.5} names no step; begin with prune: magnitude, prune: channels",
        ),
        ("{prune: channels, share: 0.5, models: [unnet]}", "lighter[0].models: model of the sweep 'unnet' is unknown"),
        ("{prune: channels, share: 0.5, models: []}", "lighter[0]: models: list should have at least 1 item"),
        ("{distil: unet}", "lighter[0]: models is missing; name the models that unet teaches"),
        ("{distil: unet, models: [unet]}", "lighter[0].models: 'unet' would teach itself"),
        ("{distil: unet, models: [small], weight: 0}", "lighter[0]: weight: input should be greater than 0, came 0"),
        ("{distil: unet, prune: channels, models: [small]}", "lighter[0]: key 'prune' is unknown"),
        (
            "{prune: channels, share: 0.5}\n  - {prune: channels, share: 0.5}",
            "lighter[1]: is the same step as lighter[0]",
        ),
        ("magnitude", "lighter[0]: input should be a valid dictionary, came 'magnitude'"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path, step, message):
    with pytest.raises(SpecError) as error:
        _read(tmp_path, f"  - {step}")
    assert message in str(error.value)
    assert str(error.value).startswith("lighter.yaml: ")
    assert "\n" not in str(error.value)


def test_a_teacher_that_may_be_several_models_asks_for_a_label(tmp_path):
    file = tmp_path / "lighter.yaml"
    file.write_text(TEXT.replace("unet, {name: unet, width: 8, label: small}", "unet, {name: unet, width: 8}"))
    with file.open("a") as stream:
        stream.write("lighter: [{distil: unet, models: [attention_unet]}]")
    with pytest.raises(SpecError, match=r"'unet' may be unet and unet\(width=8\); give the teacher a label"):
        sweep.read(file)


def test_names_tell_steps_apart_only_as_far_as_needed(tmp_path):
    from unetbench.benchmark.naming.trial_names import TrialNames

    found = _read(
        tmp_path,
        "  - {prune: channels, share: 0.5, models: [small]}\n  - {prune: magnitude, sparsity: 0.5, models: [small]}\n"
        "  - {prune: magnitude, sparsity: 0.5, ranking: global, models: [small]}",
    )
    trained = [replace(trial, seed=0) for trial in _trained(found)[4:5]]
    trials = [*trained, *(child for step in found.lighter for child in step.trials(trained))]
    names = TrialNames(trials, found.labels)
    assert [names[trial].model for trial in trials] == [
        "small",
        "small, channels 0.5",
        "small, magnitude 0.5",
        "small, magnitude 0.5 (ranking=global)",
    ]
