"""How many annotations are right, and how many to review."""

import pytest
from scipy.stats import binomtest

from unetbench.benchmark.audit.accuracy import estimate, interval, random_order
from unetbench.core.errors import DataError, SpecError

NAMES = [f"c{number}" for number in range(400)]


@pytest.mark.parametrize(("wrong", "reviewed"), [(0, 72), (3, 100), (5, 60), (60, 60)])
def test_the_interval_of_many_cases_is_that_of_clopper_and_pearson(wrong, reviewed):
    known = binomtest(reviewed - wrong, reviewed).proportion_ci(0.95, method="exact")
    assert interval(wrong, reviewed, 10_000_000) == pytest.approx((known.low, known.high), abs=1e-6)


def test_the_interval_of_few_cases_by_hand():
    # Of 4 cases 2 were reviewed and are right. If 2 are wrong in all, both are missed with probability 1 / 6, which is
    # above 2.5 %; there cannot be more.
    assert interval(0, 2, 4) == (0.5, 1.0)
    assert interval(2, 100, 100) == (0.98, 0.98)  # all were looked at
    assert interval(0, 0, 100) == (0.0, 1.0)


def test_only_the_random_sample_counts_and_not_what_was_looked_at_since_it_is_suspect():
    order = random_order(NAMES)
    verdicts = dict.fromkeys(order[:50], "right") | dict.fromkeys(order[60:80], "wrong")
    found = estimate(NAMES, verdicts, 0.95)
    assert (found.reviewed, found.wrong, found.conclusion) == (50, 0, "undecided")
    assert found.more is not None
    longer = estimate(NAMES, dict.fromkeys(order[: 50 + found.more], "right"), 0.95)
    assert longer.conclusion == "above"
    shorter = estimate(NAMES, dict.fromkeys(order[: 49 + found.more], "right"), 0.95)
    assert shorter.conclusion == "undecided"


def test_with_many_cases_and_no_error_seventy_two_are_to_be_reviewed():
    # (1 - 0.95)^... : 0.95^72 = 0.0249 is the first power below 2.5 %
    found = estimate([str(number) for number in range(200_000)], {}, 0.95)
    assert found.more == 72
    assert found.text.startswith("not reviewed yet: look at 72 cases")


def test_many_errors_are_below_the_threshold():
    order = random_order(NAMES)
    found = estimate(NAMES, {name: "wrong" if k % 5 == 0 else "right" for k, name in enumerate(order[:60])}, 0.95)
    assert found.conclusion == "below"
    assert found.more is None
    assert "12 wrong of 60 reviewed at random, of 400" in found.text


def test_the_order_does_not_depend_on_the_order_of_names_and_grows_from_the_front():
    assert random_order(reversed(NAMES)) == random_order(NAMES)
    kept = [name for name in random_order(NAMES) if name in set(NAMES[:100])]
    assert kept == random_order(NAMES[:100])


def test_bad_thresholds_and_unknown_cases_are_refused():
    with pytest.raises(SpecError, match=r"--threshold 1: give a share between 0 and 1"):
        estimate(NAMES, {}, 1.0)
    with pytest.raises(DataError, match="there is no case 'x'"):
        estimate(NAMES, {"x": "right"}, 0.95)
