"""Each verdict by a case that can be followed by hand: 1,000 truth and 1,000 predicted pixels, so Dice = TP / 1,000."""

import math

import pytest

from unetbench.benchmark.report.deployments import CaseDice, judged, lost_by_case

CASES = [f"c{k}" for k in range(8)]


def level(dice, **others):
    return dict.fromkeys(CASES, dice) | others


@pytest.fixture
def pair(make):
    """Keras' row at a Dice of 0.8 in all eight cases, of both roles, beside another row; the latter's deployment."""

    def judge(keras=0.8, **fields):
        base = make.counts(level(keras))
        rows = [
            make.row(scores=base, validation_scores=base),
            make.row("other", 5.0, **{"precision": "int8", "difference": 0.05, **fields}),
        ]
        return judged("id", "desk", rows)[1]

    return judge


def test_keras_is_the_baseline_and_loses_nothing(make):
    counts = make.counts(level(0.8))
    (found,) = judged("id", "desk", [make.row(scores=counts)])
    assert (found.verdict, found.times_baseline) == ("baseline", 1.0)
    assert found.lost is not None
    assert found.lost.mean == 0
    assert found.agrees


def test_a_float32_file_within_its_gate_is_exact_and_beyond_it_off(pair):
    assert pair(precision="float32", difference=1e-4, gate=1e-4).verdict == "exact"
    off = pair(precision="float32", difference=1.1e-4, gate=1e-4)
    assert (off.verdict, off.agrees) == ("off", False)


@pytest.mark.parametrize("difference", [None, math.inf, math.nan])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_probabilities_that_are_not_finite_are_off_whatever_the_dice(pair, make, precision, difference):
    counts = make.counts(level(0.8))
    found = pair(precision=precision, difference=difference, scores=counts, validation_scores=counts)
    assert found.verdict == "off"


def test_reduced_precision_is_within_margin_while_the_whole_interval_is(pair, make):
    # Eight cases lose 0.800 - 0.796 = 0.004 each: mean and both ends are 0.004 <= 0.005.
    found = pair(validation_scores=make.counts(level(0.796)), scores=make.counts(level(0.796)))
    assert found.verdict == "within margin"
    assert found.validation_lost is not None
    assert found.validation_lost.mean == pytest.approx(0.004)
    assert found.validation_lost.high == pytest.approx(0.004)


def test_a_mean_within_the_margin_is_not_enough_where_the_interval_reaches_beyond(pair, make):
    # Seven cases lose nothing and one 0.024: the mean is 0.024 / 8 = 0.003, and a draw that has that case twice 0.006.
    found = pair(validation_scores=make.counts(level(0.8, c0=0.776)))
    assert found.validation_lost is not None
    assert found.validation_lost.mean == pytest.approx(0.003)
    assert found.validation_lost.high > 0.005
    assert found.verdict == "loses Dice"


def test_of_too_few_groups_for_an_interval_the_mean_decides(make):
    # Three groups allow no interval; the mean lost is 0.004.
    def counts(dice):
        return make.counts(dict.fromkeys("abc", dice))

    rows = [make.row(scores=counts(0.8)), make.row("litert_int8", precision="int8", scores=counts(0.796))]
    found = judged("id", "desk", rows)[1]
    assert found.lost is not None
    assert math.isnan(found.lost.high)
    assert found.verdict == "within margin"


def test_validation_cases_choose_and_test_cases_are_shown(pair, make):
    # On validation 0.1 is lost, on test nothing: it is not recommended, and what is shown is the test cases' Dice.
    found = pair(validation_scores=make.counts(level(0.7)), scores=make.counts(level(0.8)))
    assert (found.verdict, found.chosen_on) == ("loses Dice", "validation")
    assert found.dice == pytest.approx(0.8)
    assert found.lost is not None
    assert found.lost.mean == pytest.approx(0)
    assert found.choosing is not None
    assert found.choosing.mean == pytest.approx(0.7)


def test_rows_without_validation_scores_are_judged_by_test_cases_and_say_so(pair, make):
    found = pair(scores=make.counts(level(0.79)))
    assert (found.verdict, found.chosen_on) == ("loses Dice", "test")


def test_scores_are_those_of_the_same_runtime_and_size_at_any_batch(make):
    counts = make.counts(level(0.8))
    rows = [
        make.row(scores=counts),
        make.row(batch=8, ms=60.0),
        make.row("onnx", 40.0, batch=8),
        make.row(size=[64, 64]),
    ]
    found = judged("id", "desk", rows)
    assert [one.dice for one in found[:2]] == [0.8, 0.8]
    assert math.isnan(found[3].dice)
    # Keras at batch 8 takes 60 ms, onnx 40 ms, for 8 images.
    assert found[2].times_baseline == pytest.approx(40 / 60)
    assert found[2].images_per_s == pytest.approx(8 / 0.040)


def test_an_exact_copy_that_was_not_run_on_cases_has_the_dice_of_keras(make):
    counts = make.counts(level(0.8))
    found = judged("id", "desk", [make.row(scores=counts, validation_scores=counts), make.row("jax", backend="jax")])[1]
    assert (found.verdict, found.as_keras, found.dice) == ("exact", True, 0.8)
    assert found.lost is None
    off = judged("id", "desk", [make.row(scores=counts), make.row("jax", backend="jax", difference=0.1)])[1]
    assert (off.verdict, off.as_keras, math.isnan(off.dice)) == ("off", False, True)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_constant_output_fails_though_the_dice_lost_is_none(make, everywhere):
    """Truth has one pixel of 10,000, which Keras finds among 9,001; the file finds no foreground, or nothing else."""

    def counts(tp, fp):
        return [
            {"case": case, "group": case, "class": "a", "tp": tp, "fp": fp, "fn": 1 - tp, "tn": 9_999 - fp}
            for case in CASES
        ]

    keras = counts(1, 9_000)  # Dice 2 / 9,002: nothing is lost by an output without meaning
    flat = counts(1, 9_999) if everywhere else counts(0, 0)
    rows = [
        make.row(scores=keras),
        make.row("litert_int8", precision="int8", scores=flat),
        make.row("onnx", difference=1e-9, scores=flat),
    ]
    assert [one.verdict for one in judged("id", "desk", rows)] == ["baseline", "constant", "constant"]


def test_a_reduced_file_without_cases_is_unknown_and_not_recommended(pair):
    found = pair()
    assert (found.verdict, found.agrees) == ("unknown", False)


@pytest.mark.parametrize("status", ["failed", "unfit", "unavailable"])
def test_what_was_not_done_keeps_its_status(make, status):
    row = {**make.row("onnx_cuda"), "status": status, "problem": "no CUDA here"}
    for name in ("samples_s", "precision", "difference"):
        del row[name]
    found = judged("id", "desk", [make.row(), row])[1]
    assert (found.verdict, found.agrees, math.isnan(found.latency_s(50))) == (status, False, True)


def test_a_case_that_only_one_of_both_left_empty_is_a_whole_loss(make):
    # Neither truth nor Keras' prediction has a pixel (Dice counts as 1); the file finds 5 pixels there: Dice 0.
    empty = make.counts({"a": None, "b": 0.8, "c": None})
    other = make.counts({"a": None, "b": 0.8, "c": None})
    other[0] |= {"fp": 5, "tn": 9_995}
    lost = lost_by_case(CaseDice.of(empty), CaseDice.of(other))
    assert lost == {("a", "nucleus"): 1.0, ("b", "nucleus"): 0.0}  # of c there is nothing to tell


def test_percentiles_and_the_noise_of_the_machine_by_hand(make):
    row = make.row(ms=10.0, reference_s=[0.020, 0.021, 0.023])
    (found,) = judged("id", "desk", [row])
    assert found.latency_s(50) == pytest.approx(0.010)
    # Samples 8, 9, 10, 11, 12 ms: 95 % lies at place 3.8 of 0 .. 4, between 11 and 12: 11.8 ms.
    assert found.latency_s(95) == pytest.approx(0.0118)
    # (23 - 20) / 21 = 14 % > 10 %
    assert found.spread == pytest.approx(3 / 21)
    assert found.noisy
    assert not judged("id", "desk", [make.row(reference_s=[0.020, 0.021])])[0].noisy


def test_the_mean_of_a_case_is_over_its_classes(make):
    scores = [*make.counts({"a": 0.8}, "nucleus"), *make.counts({"a": 0.4}, "cell"), *make.counts({"b": None})]
    found = CaseDice.of(scores)
    assert found.by_case()["a"] == pytest.approx(0.6)
    assert math.isnan(found.by_case()["b"])
    assert found.mean == pytest.approx(0.6)


def test_agreement_is_not_inherited_from_other_instruction_sets(make):
    """The int8 file was scored on AVX-512; on AVX2, where products of 8 bits may saturate, only batch 8 was timed."""
    counts = make.counts(level(0.8))
    reduced = {"precision": "int8", "difference": 0.1}
    rows = [
        make.row(scores=counts, validation_scores=counts),
        make.row("onnx_int8", scores=counts, validation_scores=counts, **reduced),
        make.row("onnx_int8", batch=8, instructions=["avx2"], **reduced),
    ]
    assert [one.verdict for one in judged("id", "desk", rows)] == ["baseline", "within margin", "unknown"]
