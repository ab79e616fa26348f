import numpy as np
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.front import runtime_front
from unetbench.benchmark.report.plots.style import look
from unetbench.benchmark.report.recommend import recommend
from unetbench.benchmark.report.tables.deployed import groups

CASES = [f"c{k}" for k in range(8)]


@pytest.fixture
def drawn(sweep, make, deploy):
    """Draw rows (model, runtime, Dice, ms, fields) of one seed, on a machine or several."""

    def draw(rows, machines=("desk-8-cores",)):
        models = dict.fromkeys(model for model, *_ in rows)
        trials = {model: make.trial(model) for model in models}
        folder = sweep(*(make.record(trial, [make.score(case, 0.8) for case in CASES]) for trial in trials.values()))
        for machine in machines:
            for model, trial in trials.items():
                own = []
                for other, runtime, dice, ms, fields in rows:
                    counts = make.counts(dict.fromkeys(CASES, dice))
                    if other == model:
                        scores = {"scores": counts, "validation_scores": counts}
                        own.append(make.row(runtime, ms, **{**scores, **fields}))
                deploy(folder, trial, own, machine)
        (group,) = groups(frames(folder, "nan_worst"))[0]
        with look():
            return runtime_front(group, [recommend(group, place) for place in group.places])

    return draw


ROWS = [
    ("unet", "keras", 0.80, 10, {}),
    ("unet", "onnx", 0.80, 5, {}),
    ("unet", "litert_int8", 0.70, 2, {"precision": "int8", "difference": 0.3}),
    ("tiny", "keras", 0.78, 3, {}),
    ("tiny", "onnx", 0.78, 4, {"difference": 0.3}),
]


def markers(axes, symbol=None):
    """x, y and face of every point, or of those with the marker."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0], line.get_markerfacecolor())
        for line in axes.lines
        if len(line.get_xdata()) == 1
        and line.get_marker() not in ("None", None)
        and symbol in (None, line.get_marker())
    ]


def test_only_what_agrees_is_filled_and_the_rest_is_crossed(drawn):
    axes = drawn(ROWS).axes[0]
    crossed = {(round(x), y) for x, y, _ in markers(axes, "x")}
    assert crossed == {(4, 0.78)}  # tiny · onnx, off; the int8 file lies below the axis, as a number
    hollow = {(round(x), y) for x, y, face in markers(axes) if face == "white"}
    assert hollow == crossed
    assert [text.get_text() for text in axes.texts if "↓" in text.get_text()] == ["0.700 ↓"]


def test_the_front_joins_what_agrees_and_names_it(drawn):
    axes = drawn(ROWS).axes[0]
    (front,) = (line for line in axes.lines if line.get_linestyle() == "--")
    # tiny · keras (3 ms, .78) and unet · onnx (5 ms, .80); unet · keras is as good and slower, the others do not agree.
    np.testing.assert_allclose(front.get_xdata(), [3, 5])
    np.testing.assert_allclose(front.get_ydata(), [0.78, 0.80])
    assert {"tiny · keras", "unet · onnx"} <= {text.get_text() for text in axes.texts}


def test_what_is_better_in_the_fifth_decimal_alone_is_not_on_the_front(drawn):
    def hits(count):  # of 100,000 pixels: a Dice of count / 100,000
        rest = {"fp": 100_000 - count, "fn": 100_000 - count, "tn": 0}
        scores = [{"case": case, "group": case, "class": "nucleus", "tp": count, **rest} for case in CASES]
        return {"scores": scores, "validation_scores": scores}

    rows = [("unet", "keras", 0.8, 10, hits(80_001)), ("unet", "onnx", 0.8, 5, hits(80_000))]
    rows.append(("unet", "litert", 0.8, 4, hits(79_990)))
    (front,) = (line for line in drawn(rows).axes[0].lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(front.get_xdata(), [4, 5])  # 0.7999 and 0.8000, for 0.80001 is no more


def test_latency_is_logarithmic_and_the_recommended_file_has_a_ring(drawn):
    axes = drawn(ROWS).axes[0]
    assert axes.get_xscale() == "log"
    rings = [line for line in axes.lines if line.get_markersize() == 15]
    assert [(ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings] == [(pytest.approx(5), 0.80)]


def test_each_machine_has_a_pane_of_its_own_with_its_own_front(drawn):
    panes = drawn(ROWS, ("desk-8-cores", "laptop")).axes
    assert [axes.get_title(loc="left") for axes in panes] == ["desk-8-cores, 8 threads", "laptop, 8 threads"]
    assert all(sum(line.get_linestyle() == "--" for line in axes.lines) == 1 for axes in panes)


def test_one_point_is_no_plot(drawn):
    assert drawn([("unet", "keras", 0.8, 10, {})]) is None


def test_more_models_than_colours_still_have_each_their_own(drawn):
    rows = [(f"m{k}", "keras", 0.7 + 0.01 * k, 2 + k, {}) for k in range(12)]
    legend = drawn(rows).legends[0]
    squares = [handle.get_color() for handle in legend.legend_handles if handle.get_marker() == "s"]
    assert len(set(squares[:12])) == 12
