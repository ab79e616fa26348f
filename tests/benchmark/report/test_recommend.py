"""Which file is recommended: every rule by a case that can be followed by hand."""

import math
from dataclasses import replace

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.recommend import Limits, pareto_front, recommend, values
from unetbench.benchmark.report.recommended import export_command, nearest_lines, reason, remarks
from unetbench.benchmark.report.tables.deployed import groups

CASES = [f"c{k}" for k in range(8)]


def level(dice, **others):
    return dict.fromkeys(CASES, dice) | others


@pytest.fixture
def candidates(sweep, make, deploy):
    """Build the only group of a sweep: by model, or model and seed, its rows; each trial's test Dice is 0.8."""

    def build(rows, machine="desk-8-cores", **facts):
        listed = {key if isinstance(key, tuple) else (key, 0): entries for key, entries in rows.items()}
        trials = {key: make.trial(key[0], seed=key[1]) for key in listed}
        folder = sweep(*(make.record(trial, [make.score(case, 0.8) for case in CASES]) for trial in trials.values()))
        for key, entries in listed.items():
            deploy(folder, trials[key], entries, machine, **facts)
        (group,) = groups(frames(folder, "nan_worst"))[0]
        return group

    return build


@pytest.fixture
def scored(make):
    """Build a row with Dice of validation cases, and those of test cases, 0.8 unless given."""

    def build(runtime, dice, ms, mb=2.0, test=0.8, **fields):
        dice = dice if isinstance(dice, dict) else level(dice)
        counts = {"validation_scores": make.counts(dice), "scores": make.counts(level(test))}
        return make.row(runtime, ms, **{"file_bytes": mb * 1e6, **counts, **fields})

    return build


def chosen(group, **limits):
    (place,) = group.places
    found = recommend(group, place, Limits(**limits))
    return found, found.chosen and (found.chosen.model, found.chosen.seed, found.chosen.deployment.runtime)


def test_of_equal_dice_the_fastest_is_chosen_and_the_others_are_off_the_front(candidates, scored):
    group = candidates({"unet": [scored("keras", 0.8, 10), scored("onnx", 0.8, 5), scored("litert", 0.8, 4)]})
    found, name = chosen(group)
    assert name == ("unet", 0, "litert")
    assert [row.deployment.runtime for row in found.front] == ["litert"]
    assert reason(found) == "No other that qualifies is better in validation Dice, latency or size."


def test_a_file_without_a_rival_is_called_the_only_one(candidates, scored):
    group = candidates({"unet": [scored("keras", 0.8, 10), scored("onnx", 0.8, 5)]})
    found, name = chosen(group, max_latency_s=0.006)
    assert name == ("unet", 0, "onnx")
    assert reason(found) == "The only one that qualifies."


def test_validation_chooses_whatever_the_test_cases_say(candidates, scored):
    rows = {
        "unet": [scored("keras", 0.90, 10, test=0.5)],
        "vnet": [scored("keras", 0.70, 10, test=0.9)],
    }
    found, name = chosen(candidates(rows))
    assert name == ("unet", 0, "keras")
    assert values(found.chosen)[0] == 0.9


def test_a_faster_one_that_the_test_does_not_tell_from_the_best_is_preferred(candidates, scored):
    # The best is 0.01 better in four cases and 0.005 worse in four: 0.0025 on the mean. Of the 2^8 sign flips those
    # with |2 a + b| >= 4 reach it, a and b the sums of four signs each: 2 (16 + 4 * 11) + 6 * 2 = 132.
    mixed = {case: 0.79 if k < 4 else 0.805 for k, case in enumerate(CASES)}
    group = candidates({"unet": [scored("keras", 0.8, 10)], "tiny": [scored("keras", mixed, 2)]})
    found, name = chosen(group)
    assert name == ("tiny", 0, "keras")
    (tie,) = found.ties
    assert tie.below == pytest.approx(0.0025)
    assert tie.p == pytest.approx(132 / 256)
    assert "The fastest of 2 whose validation Dice is not told from the best, 0.800 (unet" in reason(found)
    assert "5.0 times as fast" in reason(found)


def test_a_faster_one_that_is_told_from_the_best_is_not(candidates, scored):
    # All eight cases are 0.004 worse: of 2^8 sign flips only two reach that, p = 2 / 256 < 0.05.
    group = candidates({"unet": [scored("keras", 0.8, 10)], "tiny": [scored("keras", 0.796, 2)]})
    found, name = chosen(group)
    assert name == ("unet", 0, "keras")
    assert found.ties[0].p == pytest.approx(2 / 256)
    assert "comes nearest, 0.0040 below (p = 0.0078, 8 groups of cases)" in reason(found)
    assert [row.model for row in found.front] == ["tiny", "unet"]


def test_noise_alone_makes_no_file_as_good_as_one_that_is_far_better(candidates, scored):
    # One case is 0.8 worse, so 0.1 on the mean; no test tells them apart (flipping that case's sign: p = 1).
    group = candidates({"unet": [scored("keras", 0.8, 10)], "tiny": [scored("keras", level(0.8, c0=0.0), 2)]})
    found, name = chosen(group)
    assert name == ("unet", 0, "keras")
    assert found.ties[0].untold
    assert not found.ties[0].as_good
    assert any("not told from the best, yet more than 0.01 below it: tiny" in note for note in remarks(group, found))


@pytest.mark.parametrize(("dice", "wanted"), [(0.796, "tiny"), (0.794, "unet")])
def test_with_too_few_groups_for_a_test_a_half_percent_counts(candidates, scored, dice, wanted):
    # Five groups: 0.800 - 0.796 = 0.004 <= 0.005, and 0.006 > 0.005.
    few = CASES[:5]
    group = candidates(
        {
            "unet": [scored("keras", dict.fromkeys(few, 0.8), 10)],
            "tiny": [scored("keras", dict.fromkeys(few, dice), 2)],
        }
    )
    found, name = chosen(group)
    assert name == (wanted, 0, "keras")
    assert math.isnan(found.ties[0].p)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"difference": 0.1}, "off from float64"),
        ({"precision": "int8", "difference": 0.1, "validation_scores": "low"}, "losing Dice"),
        ({"instructions": ["avx2"]}, "timed with other instruction sets than the machine has"),
        ({"status": "failed", "problem": "no memory"}, "failed"),
        ({"samples_s": []}, "not timed"),
    ],
)
def test_what_cannot_be_trusted_takes_no_part_though_it_would_win(candidates, scored, make, fields, why):
    fields = {key: make.counts(level(0.7)) if value == "low" else value for key, value in fields.items()}
    group = candidates({"unet": [scored("keras", 0.8, 10), scored("onnx", 0.9, 1, **fields)]})
    found, name = chosen(group)
    assert name == ("unet", 0, "keras")
    assert dict(found.left_out) == {why: 1}


def test_a_collapsed_trial_is_never_recommended(sweep, make, deploy, scored):
    trials = {loss: make.trial(loss=loss) for loss in ("bce", "dice")}
    fallen = [make.score(case, 0.0, empty="prediction") for case in CASES]
    folder = sweep(
        make.record(trials["bce"], fallen), make.record(trials["dice"], [make.score(case, 0.8) for case in CASES])
    )
    deploy(folder, trials["bce"], [scored("keras", 0.9, 1)])
    deploy(folder, trials["dice"], [scored("keras", 0.8, 10)])
    (group,) = groups(frames(folder, "nan_worst"))[0]
    found = recommend(group, group.places[0])
    assert found.chosen is not None
    assert found.chosen.loss == "dice"
    assert dict(found.left_out) == {"collapsed in training": 1}


def test_limits_leave_the_best_of_what_meets_them(candidates, scored):
    rows = [scored("keras", 0.9, 10, 8), scored("onnx", 0.8, 5, 2), scored("litert", 0.7, 2, 1)]
    group = candidates({f"m{k}": [{**row, "runtime": "keras"}] for k, row in enumerate(rows)})
    assert chosen(group)[1] == ("m0", 0, "keras")
    assert chosen(group, max_latency_s=0.006)[1] == ("m1", 0, "keras")
    assert chosen(group, max_bytes=1.5e6)[1] == ("m2", 0, "keras")
    assert chosen(group, min_dice=0.8, max_bytes=2e6)[1] == ("m1", 0, "keras")


def test_where_nothing_qualifies_the_nearest_of_each_limit_is_named_with_what_it_misses(candidates, scored):
    group = candidates({"unet": [scored("keras", 0.9, 10, 8)], "tiny": [scored("keras", 0.7, 2, 1)]})
    found, name = chosen(group, min_dice=0.85, max_latency_s=0.005)
    assert name is None
    assert reason(found) == "nothing qualifies (Dice of at least 0.85, at most 5 ms)"
    lines = nearest_lines(group, found)
    # tiny keeps the 5 ms and is 0.85 - 0.70 below; unet keeps the Dice and takes 10 - 5 ms too long.
    assert lines[0].startswith("Dice of at least 0.85: missed by 0.1500 (0.7000), nearest is tiny")
    assert lines[1].startswith("at most 5 ms: missed by 5 ms (10 ms), nearest is unet")


def test_the_front_by_hand(candidates, scored):
    # (Dice, ms, MB): b is beaten by a in all; d is slower and worse than a, but smaller; e equals a, which came first.
    rows = {"a": (0.8, 4, 2), "b": (0.7, 5, 3), "c": (0.9, 9, 9), "d": (0.7, 8, 1), "e": (0.8, 4, 2)}
    group = candidates({name: [scored("keras", *entry)] for name, entry in rows.items()})
    named = sorted(group.rows, key=lambda row: row.model)
    assert [row.model for row in pareto_front(named)] == ["a", "d", "c"]


def test_a_candidate_is_one_seed_and_the_mean_of_seeds_is_told_beside_it(candidates, scored):
    group = candidates({("unet", 0): [scored("keras", 0.8, 10)], ("unet", 1): [scored("keras", 0.9, 10)]})
    found, name = chosen(group)
    assert name == ("unet", 1, "keras")
    assert any("one trained file, of one seed" in note for note in remarks(group, found))


def test_older_deployments_are_chosen_by_test_cases_and_say_so(candidates, make):
    group = candidates({"unet": [make.row(scores=make.counts(level(0.8)))]})
    found, _ = chosen(group)
    assert any("chosen by test cases" in note for note in remarks(group, found))


def test_machines_and_threads_are_never_ranked_together(sweep, make, deploy, scored):
    trial = make.trial()
    folder = sweep(make.record(trial, [make.score(case, 0.8) for case in CASES]))
    deploy(folder, trial, [scored("keras", 0.8, 10), scored("keras", 0.8, 30, threads=1)], "desk-8-cores")
    deploy(folder, trial, [scored("keras", 0.8, 1)], "laptop")
    (group,) = groups(frames(folder, "nan_worst"))[0]
    assert group.places == (("desk-8-cores", 1), ("desk-8-cores", 8), ("laptop", 8))
    latencies = [values(found.chosen)[1] for place in group.places if (found := recommend(group, place)).chosen]
    assert latencies == pytest.approx([0.030, 0.010, 0.001])


def test_machines_that_only_share_a_name_are_two(sweep, make, deploy, scored):
    trials = [make.trial(seed=seed) for seed in range(2)]
    folder = sweep(*(make.record(trial, [make.score("a", 0.8)]) for trial in trials))
    for trial, digest in zip(trials, ("aaaaaa11", "bbbbbb22"), strict=True):
        deploy(folder, trial, [scored("keras", 0.8, 10)], "desk", digest=digest)
    (group,) = groups(frames(folder, "nan_worst"))[0]
    assert group.places == (("desk-aaaaaa", 8), ("desk-bbbbbb", 8))


def test_settings_and_data_sets_have_groups_of_their_own(sweep, make, deploy, scored):
    trial = make.trial()
    other = replace(trial, split={"digest": "ffff"})
    folder = sweep(*(make.record(one, [make.score("a", 0.8)]) for one in (trial, other)))
    deploy(folder, trial, [scored("keras", 0.8, 10), scored("keras", 0.8, 60, batch=8)])
    deploy(folder, other, [scored("keras", 0.8, 10)])
    found, notes = groups(frames(folder, "nan_worst"))
    assert [(group.subject, group.workload) for group in found] == [
        ("dsb2018 (data 0a1b)", "batch 1, 32×32"),
        ("dsb2018 (data 0a1b)", "batch 8, 32×32"),
        ("dsb2018 (data ffff)", "batch 1, 32×32"),
    ]
    assert notes == []


def test_deployments_without_a_record_are_told(sweep, make, deploy, scored):
    folder = sweep(make.record(make.trial(), [make.score("a", 0.8)]))
    deploy(folder, make.trial(seed=7), [scored("keras", 0.8, 10)])
    assert groups(frames(folder, "nan_worst")) == (
        [],
        ["1 deployments belong to no record of the sweep and are left out"],
    )


def test_the_command_names_record_format_and_a_size_that_is_not_the_recipes(candidates, scored, tmp_path):
    rows = [scored("keras", 0.8, 10, backend="tensorflow"), scored("litert_int8", 0.8, 1, precision="int8")]
    keras, litert = candidates({"unet": rows}).rows
    folder = tmp_path / "a b"
    record = folder / "records" / f"{litert.key}.json"
    assert export_command(litert, folder) == f"unetbench export '{record}' --format litert_int8"
    assert export_command(keras, folder) == f"nothing to export: Keras runs {folder}/weights/{keras.key}.keras"
    dynamic = candidates({"unet": [rows[0], {**rows[1], "runtime": "onnx(dynamic=true)"}]}).rows[1]
    assert export_command(dynamic, folder).endswith("--format onnx --set dynamic=true")
    larger = candidates({"unet": [{**row, "size": [64, 48]} for row in rows]}).rows[1]
    assert export_command(larger, folder).endswith("--format litert_int8 --size 64x48")


def test_trials_of_two_backends_are_no_seeds_of_one_another(sweep, make, deploy, scored):
    trials = [make.trial(), replace(make.trial(), backend="jax")]
    records = [make.record(trial, [make.score("a", 0.8)], versions={"backend": trial.backend}) for trial in trials]
    folder = sweep(*records)
    for trial in trials:
        deploy(folder, trial, [scored("keras", 0.8, 10)])
    (group,) = groups(frames(folder, "nan_worst"))[0]
    assert {row.model for row in group.rows} == {"unet [tensorflow]", "unet [jax]"}
