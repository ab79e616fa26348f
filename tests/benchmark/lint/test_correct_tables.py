"""No table that was computed and rounded correctly is accused; the same table with one number moved is."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from unetbench.benchmark.lint.check import lint
from unetbench.benchmark.lint.table import Options

MARGINS = {"margin_below_spread", "margin_below_interval"}
"""They speak of what a true number shows, and not of whether it is true."""

counts = st.tuples(*[st.sampled_from([0, 0, 1, 2, 5, 30, 400, 9999])] * 3)
models = st.lists(st.lists(counts, min_size=2, max_size=9), min_size=1, max_size=4)
FAST = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)


def _case_scores(cases, policy):
    """Dice, IoU, precision and recall of each case, (4, n); both masks empty is left out, or 1 for `smp`."""
    tp, fp, fn = np.array(cases, dtype=float).T
    if policy == "nan_worst":
        tp, fp, fn = (x[tp + fp + fn > 0] for x in (tp, fp, fn))
    empty = 1.0 if policy == "smp" else 0.0
    pairs = ((2 * tp, 2 * tp + fp + fn), (tp, tp + fp + fn), (tp, tp + fp), (tp, tp + fn))
    return np.array([np.divide(a, b, out=np.full_like(a, empty), where=b > 0) for a, b in pairs])


def _pooled_scores(cases):
    tp, fp, fn = np.array(cases, dtype=float).sum(axis=0)
    return np.array([2 * tp / (2 * tp + fp + fn), tp / (tp + fp + fn), tp / (tp + fp), tp / (tp + fn)])


class Printer:
    """Numbers as a table prints them: digits, fractions or percentages, and how halves are rounded."""

    def __init__(self, digits, percent, rounding, sign):
        self.percent, self.sign, self.rounding = percent, sign, rounding
        self.unit = Decimal(1).scaleb(-digits if not percent else 2 - digits)

    def number(self, value):
        exact = Decimal(float(value)) * (100 if self.percent else 1)
        return f"{exact.quantize(self.unit, rounding=self.rounding):f}"

    def cell(self, value):
        return self.number(value) + (" %" if self.percent and self.sign == "cell" else "")

    def head(self, title):
        return f"{title} (%)" if self.percent and self.sign == "header" else title


printers = st.builds(
    Printer,
    st.integers(2, 5),
    st.booleans(),
    st.sampled_from([ROUND_HALF_EVEN, ROUND_HALF_UP]),
    st.sampled_from(["cell", "header", "none"]),
)


def _told(printer, values):
    """Whether percentages can be told from fractions: by a %, or by numbers that are all well above 1."""
    return printer.sign != "none" or not printer.percent or np.min(values) > 0.02


def _markdown(head, rows):
    lines = [head, ["--"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _latex(head, rows):
    body = " \\\\\n".join(" & ".join(line) for line in [head, *rows]).replace("%", r"\%").replace("±", r"$\pm$")
    return rf"\begin{{tabular}}{{lrrrr}} \toprule {body} \\ \bottomrule \end{{tabular}}"


def _csv(head, rows):
    return "".join(";".join(line) + "\n" for line in [head, *rows])


FORMATS = {"t.md": _markdown, "t.tex": _latex, "t.csv": _csv}


def _lint(folder, name, head, rows, **options):
    (folder / name).write_text(FORMATS[name](head, rows), "utf-8")
    return [one for one in lint([str(folder / name)], Options(**options)).findings if one.rule not in MARGINS]


@pytest.mark.parametrize("name", FORMATS)
@FAST
@given(
    models=models,
    printer=printers,
    policy=st.sampled_from(["nan_worst", "smp", "zero"]),
    single=st.booleans(),
    spread=st.sampled_from(["none", "sd", "interval"]),
)
def test_means_of_cases_are_never_accused(tmp_path, name, models, printer, policy, single, spread):
    head = ["M", *(printer.head(title) for title in ("Dice", "IoU", "Precision", "Recall"))]
    scores = [_case_scores(cases, policy).astype(np.float32 if single else np.float64) for cases in models]
    assume(all(values.shape[1] > 1 and _told(printer, values.mean(axis=1)) for values in scores))
    rows = []
    for number, values in enumerate(scores):
        cells = []
        for line in values:
            mean, sd = line.mean(), line.std(ddof=1)
            text = printer.cell(mean)
            if spread == "sd":
                text += f" ± {printer.cell(sd)}"
            if spread == "interval":
                text = f"{printer.number(mean)} [{printer.number(line.min())}, {printer.number(line.max())}]"
            cells.append(text)
        rows.append([f"M{number}", *cells])
    if printer.percent and printer.sign == "cell" and spread == "interval":
        head = ["M", *(f"{title} (%)" for title in head[1:])]
    found = _lint(tmp_path, name, head, rows, aggregate="means")
    assert {one.rule for one in found} <= {"same_numbers"}, found


@FAST
@given(models=models, printer=printers)
def test_pooled_scores_are_never_accused(tmp_path, models, printer):
    assume(all(np.array(cases).sum(axis=0)[0] > 0 for cases in models))
    assume(all(_told(printer, _pooled_scores(cases)) for cases in models))
    head = ["M", *(printer.head(title) for title in ("F1", "IoU", "Precision", "Recall"))]
    rows = [[f"M{k}", *map(printer.cell, _pooled_scores(cases))] for k, cases in enumerate(models)]
    for aggregate in ("pooled", "unknown"):
        found = _lint(tmp_path, "t.md", head, rows, aggregate=aggregate)
        assert {one.rule for one in found} <= {"same_numbers"}, found


@FAST
@given(models=models, printer=printers)
def test_the_true_best_may_be_bold(tmp_path, models, printer):
    means = [_case_scores(cases, "zero").mean(axis=1)[0] for cases in models]
    assume(_told(printer, means))
    rows = [
        [f"M{k}", f"**{printer.cell(mean)}**" if mean == max(means) else printer.cell(mean)]
        for k, mean in enumerate(means)
    ]
    assert _lint(tmp_path, "t.md", ["M", printer.head("Dice")], rows) == []


@FAST
@given(n=st.integers(1, 400), shares=st.lists(st.floats(0, 1), min_size=1, max_size=5), printer=printers)
def test_shares_of_cases_are_never_accused(tmp_path, n, shares, printer):
    found = [round(share * n) for share in shares]
    assume(_told(printer, np.array(found) / n))
    head = ["M", printer.head("Detection rate"), "Found", "n"]
    rows = [
        [f"M{k}", printer.cell(count / n), f"{count}/{n} ({100 * count / n:.1f}%)", str(n)]
        for k, count in enumerate(found)
    ]
    assert _lint(tmp_path, "t.md", head, rows) == []


@FAST
@given(models=models, printer=printers, up=st.booleans(), data=st.data())
def test_an_iou_out_of_its_bounds_is_found(tmp_path, models, printer, up, data):
    head = ["M", *(printer.head(title) for title in ("Dice", "IoU"))]
    scores = [_case_scores(cases, "zero")[:2].mean(axis=1) for cases in models]
    place = data.draw(st.integers(0, len(scores) - 1))
    dice = scores[place][0]
    step = float(printer.unit) * (0.01 if printer.percent else 1)
    # Rounding moves Dice and IoU by half a step each and allows for as much again; the curve is twice as steep at most.
    moved = dice + 2.1 * step if up else dice / (2 - dice) - 3.1 * step
    assume(0 <= moved <= 1 and _told(printer, [moved, *np.ravel(scores)]))
    scores[place] = (dice, moved)
    rows = [[f"M{k}", printer.cell(a), printer.cell(b)] for k, (a, b) in enumerate(scores)]
    found = _lint(tmp_path, "t.csv", head, rows)
    assert [(one.rule, one.severity, one.line) for one in found] == [("dice_iou", "impossible", place + 2)]
