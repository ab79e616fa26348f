"""Each rule finds its fault and leaves the nearest correct number alone."""

import pytest

from unetbench.benchmark.lint.known import known_networks
from unetbench.benchmark.lint.rules import RULES

ERROR, DOUBT = "impossible", "doubtful"


@pytest.mark.parametrize(
    ("iou", "options", "severity"),
    [
        # D = 0.80 (0.795 to 0.805): f(0.795) = 0.795 / 1.205 = 0.6598, so that 0.66 (from 0.655) may be, 0.65 may not.
        ("0.66", {}, ""),
        ("0.65", {}, ERROR),
        ("0.80", {}, ""),
        ("0.81", {}, ""),  # 0.805 is both
        ("0.82", {}, ERROR),
        # Pooled: f(0.795) to f(0.805) = 0.6598 to 0.6736.
        ("0.67", {"aggregate": "pooled"}, ""),
        ("0.69", {"aggregate": "pooled"}, ERROR),
        ("0.69", {"aggregate": "means"}, ""),
    ],
)
def test_iou_lies_between_the_curve_and_the_chord(found, iou, options, severity):
    findings = found(f"| M | Dice | IoU |\n|--|--|--|\n| A | 0.80 | {iou} |\n", **options)
    assert findings == ([(severity, "dice_iou", 3)] if severity else [])


@pytest.mark.parametrize(
    ("head", "f1", "options", "severity"),
    [
        # P = 0.90, R = 0.60: H(0.905, 0.605) = 1.09505 / 1.51 = 0.7252; P + R - 1 is 0.895 + 0.595 - 1 = 0.49 at least.
        ("F1", "0.73", {}, ""),
        ("F1", "0.74", {}, ERROR),
        ("Dice", "0.74", {}, DOUBT),
        ("Dice", "0.74", {"aggregate": "pooled"}, ERROR),
        ("F1", "0.49", {}, ""),
        ("F1", "0.48", {}, ERROR),
        # Pooled: H(0.895, 0.595) = 1.06505 / 1.49 = 0.7148.
        ("F1", "0.71", {"aggregate": "pooled"}, ""),
        ("F1", "0.70", {"aggregate": "pooled"}, ERROR),
    ],
)
def test_f1_lies_between_the_sum_and_the_harmonic_mean(found, head, f1, options, severity):
    findings = found(f"| M | Precision | Recall | {head} |\n|--|--|--|--|\n| A | 0.90 | 0.60 | {f1} |\n", **options)
    assert findings == ([(severity, "precision_recall_f1", 3)] if severity else [])


@pytest.mark.parametrize(
    ("iou", "options", "severity"),
    [
        ("0.60", {}, ""),
        ("0.62", {}, DOUBT),
        ("0.62", {"aggregate": "pooled"}, ERROR),
        ("0.56", {"aggregate": "pooled"}, ""),
    ],
)
def test_iou_is_below_precision_and_recall(found, iou, options, severity):
    # Pooled: 1 / (1 / 0.9 + 1 / 0.6 - 1) = 0.5625.
    findings = found(f"| M | Precision | Recall | IoU |\n|--|--|--|--|\n| A | 0.90 | 0.60 | {iou} |\n", **options)
    assert findings == ([(severity, "precision_recall_iou", 3)] if severity else [])


def test_scores_of_different_data_sets_are_not_paired(found):
    text = "| M | Kvasir / Dice | CVC / IoU |\n|--|--|--|\n| A | 0.90 | 0.50 |\n"
    assert found(text) == []
    assert found(text.replace("CVC", "Kvasir")) == [(ERROR, "dice_iou", 3)]


def test_a_mean_iou_beside_a_plain_dice_and_an_f1_of_objects_are_doubtful(found):
    assert found("| M | Dice | mIoU |\n|--|--|--|\n| A | 0.80 | 0.85 |\n") == [(DOUBT, "dice_iou", 3)]
    assert found("| M | F1 | IoU | AJI |\n|--|--|--|--|\n| A | 0.80 | 0.85 | 0.6 |\n") == [(DOUBT, "dice_iou", 3)]


def test_percentages_and_fractions_may_stand_side_by_side(found):
    assert found("| M | Dice | IoU |\n|--|--|--|\n| A | 91.2 | 0.84 |\n| B | 88.0 | 0.79 |\n") == []
    assert found("| M | Dice | IoU |\n|--|--|--|\n| A | 1.2 | 0.6 |\n") == []  # 1.2 and 0.6 %, or 0.6


@pytest.mark.parametrize(
    ("head", "values", "options", "lines"),
    [
        ("Dice", ("0.91", "1.02"), {}, [4]),
        ("Dice", ("91", "102"), {}, [4]),
        ("Dice (%)", ("0.9", "100.1"), {}, [4]),
        ("Dice", ("0.91", "1.00"), {}, []),
        ("Dice", ("1.02",), {"unit": "fraction"}, [3]),
        ("MCC", ("-0.2", "0.3"), {}, []),
        ("HD95", ("-1", "3"), {}, [3]),
        ("Params (M)", ("-3", "3"), {}, [3]),
        ("Rank", ("0", "1"), {}, [3]),
    ],
)
def test_numbers_outside_their_range_are_found(found, head, values, options, lines):
    text = f"| M | {head} |\n|--|--|\n" + "".join(
        f"| {k} | {value} |\n" for k, value in zip("ABCD", values, strict=False)
    )
    assert found(text, **options) == [(ERROR, "out_of_range", line) for line in lines]


def test_a_fraction_among_percentages_is_doubtful(found):
    text = "| M | Dice |\n|--|--|\n| A | 91.2 |\n| B | 89.9 |\n| C | {} |\n"
    assert found(text.format("0.905")) == [(DOUBT, "mixed_units", 5)]
    assert found(text.format("0.9")) == []
    assert found(text.format("0.123")) == []  # 12.3 % would not fit in either


def test_an_interval_holds_its_value_and_has_its_ends_in_order(found):
    text = "| M | Dice | 95 % CI |\n|--|--|--|\n| A | 0.91 | {} |\n"
    assert found(text.format("[0.88, 0.93]")) == []
    assert found(text.format("[0.93, 0.95]")) == [(DOUBT, "interval_order", 3)]
    assert found(text.format("[0.93, 0.88]")) == [(ERROR, "interval_order", 3)]
    assert found("m,dice,dice_low,dice_high\nA,0.91,0.93,0.95\n", "t.csv") == [(DOUBT, "interval_order", 2)]


def test_a_standard_deviation_has_a_largest_value(found):
    # sqrt(2 · 0.95 · 0.05) = 0.308 of two values, with the mean 0.945 it is sqrt(2 · 0.945 · 0.055) = 0.322.
    text = "| M | Dice{} |\n|--|--|\n| A | 0.95 ± {} |\n"
    assert found(text.format("", "0.32")) == []
    assert found(text.format("", "0.33")) == [(DOUBT, "spread_too_large", 3)]
    assert found(text.format(" (mean ± SD)", "0.33")) == [(ERROR, "spread_too_large", 3)]


def test_a_share_of_cases_is_a_whole_number_of_them(found):
    text = "| M | Detection rate (%) | n |\n|--|--|--|\n| A | {} | 60 |\n"
    assert found(text.format("83.3")) == []  # 50 of 60
    assert found(text.format("83.4")) == [(ERROR, "grim", 3)]
    assert found("| M | Sens (%) |\n|--|--|\n| A | 83.4 |\n", n=60) == []  # a mean of scores
    assert found("| M | Sens (%) |\n|--|--|\n| A | 83.4 |\n", n=60, columns={"Sens (%)": "rate"}) == [
        (ERROR, "grim", 3)
    ]
    assert found(text.format("83.4").replace("| n |", "| n seeds |")) == []


def test_a_count_and_its_percentage_agree(found):
    text = "| M | Found | n |\n|--|--|--|\n| A | {} | 60 |\n"
    assert found(text.format("45/60 (75.0%)")) == found(text.format("45 (75%)")) == []
    assert found(text.format("45/60 (76.0%)")) == [(ERROR, "count_and_percentage", 3)]
    assert found(text.format("45 (76%)")) == [(ERROR, "count_and_percentage", 3)]
    assert found(text.format("61/60")) == [(ERROR, "count_and_percentage", 3)]


def test_a_row_that_stands_twice_is_doubtful(found):
    text = "| M | Data | Dice |\n|--|--|--|\n| A | x | 0.91 |\n| A | {} | {} |\n"
    assert found(text.format("y", "0.91")) == []
    assert found(text.format("x", "0.91")) == found(text.format("x", "0.90")) == [(DOUBT, "repeated_row", 4)]


def test_two_names_with_the_same_numbers_are_doubtful(found):
    head = "| M | Dice | IoU | HD95 | Precision |\n|--|--|--|--|--|\n| A | 0.912 | 0.850 | 12.3 | 0.934 |\n"
    assert found(head + "| B | 0.912 | 0.850 | 12.3 | 0.934 |\n") == [(DOUBT, "same_numbers", 4)]
    assert found(head + "| B | 0.912 | 0.850 | 12.3 | 0.933 |\n") == []


@pytest.mark.parametrize("size", ["FLOPs (G) at 256×256", "FLOPs (G)"])
def test_macs_of_a_known_network_under_flops_are_doubtful(found, size):
    unet = next(k for k in known_networks() if k.recipe == "unet" and k.parameters == 31_031_745)
    giga = unet.macs / 1e9
    text = "| M | Params (M) | {} |\n|--|--|--|\n| {} | {} | {:.1f} |\n"
    asked = {} if "at" in size else {"size": (256, 256)}
    assert found(text.format(size, "U-Net [12]", "31.03", giga), **asked) == [(DOUBT, "macs_called_flops", 3)]
    for name, parameters, number in (("U-Net", "31.03", 2 * giga), ("U-Net", "17.3", giga), ("U-Net-B", "31.03", giga)):
        assert found(text.format(size, name, parameters, number), **asked) == []
    assert found(text.format("FLOPs (G)", "U-Net", "31.03", giga)) == []  # nothing says the size


def test_flops_are_twice_the_macs_beside_them(found):
    text = "| M | MACs (G) | FLOPs (G) |\n|--|--|--|\n| A | 10.0 | {} |\n"
    assert found(text.format("20.1")) == []
    assert found(text.format("10.0")) == [(DOUBT, "flops_below_macs", 3)]


def test_bold_that_is_not_the_best_is_doubtful(found):
    text = "| M | Dice | HD95 |\n|--|--|--|\n| A | **0.91** | 3.2 |\n| B | 0.90 | **3.0** |\n"
    assert found(text) == []
    assert found(text.replace("0.90", "0.92")) == [(DOUBT, "bold_not_best", 3)]
    assert found(text.replace("3.2", "2.9")) == [(DOUBT, "bold_not_best", 4)]
    assert found(text.replace("0.90", "0.92").replace("| A | **0.91** | 3.2", "| **A** | **0.91** | **3.2**")) == []
    arrows = "| M | Volume difference ↑ |\n|--|--|\n| A | **0.2** |\n| B | 0.1 |\n"
    assert found(arrows) == [] and found(arrows.replace("↑", "")) == [(DOUBT, "bold_not_best", 3)]


def test_a_best_of_each_data_set_may_be_bold(found):
    rows = "| x | A | **0.91** |\n| x | B | 0.90 |\n| y | A | **0.80** |\n| y | B | {} |\n"
    text = f"| Data | M | Dice |\n|--|--|--|\n{rows}"
    assert found(text.format("0.79")) == []
    assert found(text.format("0.92")) == [(DOUBT, "bold_not_best", 5)]


def test_underlined_that_is_not_the_second_is_doubtful(found):
    text = "| M | Dice |\n|--|--|\n| A | **0.91** |\n| B | <u>0.90</u> |\n| C | {} |\n"
    assert found(text.format("0.89")) == []
    assert found(text.format("0.905")) == [(DOUBT, "underlined_not_second", 4)]


def test_a_bold_margin_below_the_spread_is_doubtful(found):
    text = "| M | Dice |\n|--|--|\n| A | **0.912 ± {}** |\n| B | {} ± 0.002 |\n"
    assert found(text.format("0.003", "0.900")) == []
    assert found(text.format("0.013", "0.900")) == [(DOUBT, "margin_below_spread", 3)]
    assert found(text.format("0.013", "**0.900**")) == []  # both are marked
    assert found(text.format("0.013", "0.900").replace("**", "")) == []  # nothing is claimed


def test_a_bold_margin_below_the_usual_interval_is_doubtful(found):
    # 1.96 · 0.25 · sqrt(0.912 · 0.088) / sqrt(n): 0.0179 for 60 cases, 0.0044 for 1000.
    text = "| M | Dice |\n|--|--|\n| A | **0.912** |\n| B | 0.900 |\n"
    assert found(text, n=60) == [(DOUBT, "margin_below_interval", 3)]
    assert found(text, n=1000) == found(text) == []
    tested = "| M | Dice | p |\n|--|--|--|\n| A | **0.912** | 0.01 |\n| B | 0.900 | |\n"
    assert found(tested, n=60) == found(tested.replace("p |", "Rank |").replace("0.01", "1–2"), n=60) == []


def test_every_rule_says_what_it_asks_and_can_be_left_out(check):
    assert len(RULES) == 17
    for part in RULES.parts().values():
        assert len(part.doc) > 60 and part.summary.endswith((".", "?")), part.name
    assert not check("| M | Dice |\n|--|--|\n| A | 0.9 |\n| B | 1.1 |\n", ignored=["out_of_range"]).findings
