import numpy as np
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.curves import curves
from unetbench.benchmark.report.plots.distribution import distribution
from unetbench.benchmark.report.plots.heatmap import heatmap
from unetbench.benchmark.report.plots.panel import FALSE, HIT, MISSED, SWAPPED, Picture, errors, overlay, panel
from unetbench.benchmark.report.plots.style import colour_of, folded, look
from unetbench.benchmark.report.plots.tradeoff import tradeoff
from unetbench.benchmark.report.tables.summary import comparison_tables


def only_table(folder):
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    return table


@pytest.fixture
def folder(sweep, make):
    """unet · bce at 0.8 in 14 ms, unet · dice collapsed, vnet · bce unfit."""
    return sweep(
        make.record(make.trial(), [make.score("a", 0.9), make.score("b", 0.7)]),
        make.record(make.trial(loss="dice"), [make.score(case, 0.0, empty="prediction") for case in "ab"]),
        make.record(make.trial("vnet"), status="unfit", reason="vnet needs rank 3"),
    )


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_errors_are_told_apart_by_hand():
    truth = np.array([[0, 1, 1, 2, 0]], np.uint8)
    found = np.array([[0, 1, 0, 1, 2]], np.uint8)
    masks = {colour: mask.tolist()[0] for mask, colour in errors(Picture(truth, truth, found))}
    assert masks[HIT] == [False, True, False, False, False]
    assert masks[MISSED] == [False, False, True, False, False]
    assert masks[SWAPPED] == [False, False, False, True, False]
    assert masks[FALSE] == [False, False, False, False, True]


def test_pixels_to_ignore_are_no_error():
    truth, found = np.array([[255, 255, 1]], np.uint8), np.array([[0, 1, 1]], np.uint8)
    picture = Picture(truth, truth, found)
    assert {colour: mask.tolist()[0] for mask, colour in errors(picture, 255)} == {
        HIT: [False, False, True],
        FALSE: [False] * 3,
        MISSED: [False] * 3,
        SWAPPED: [False] * 3,
    }


def test_overlay_leaves_pixels_outside_the_masks_grey():
    image = np.full((1, 2), 102, np.uint8)
    laid = overlay(image, [(np.array([[True, False]]), FALSE)])
    assert laid[0, 1] == pytest.approx([0.4, 0.4, 0.4])
    assert laid[0, 0, 0] > 0.75  # vermilion, nearly opaque


def test_the_map_says_why_a_combination_has_no_score(folder):
    axes = heatmap(only_table(folder)).axes[0]
    assert sorted(texts(axes)) == ["0.000†", "0.800", "not in\nthe sweep", "unfit"]


def test_the_colours_of_the_map_span_the_scores_that_did_not_collapse(sweep, make):
    levels = {"bce": 0.5, "dice": 0.7, "focal": 0.8}
    records = [make.record(make.trial(loss=loss), [make.score("a", dice)]) for loss, dice in levels.items()]
    assert heatmap(only_table(sweep(*records))).axes[0].images[0].get_clim() == pytest.approx((0.5, 0.8))


def test_distribution_has_a_row_a_configuration_with_the_collapsed_one_marked(folder):
    axes = distribution(only_table(folder)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unet · bce", "unet · dice †"]
    assert axes.collections[0].get_offsets()[:, 0].tolist() == pytest.approx([0.9, 0.7])


def test_latency_axis_has_unit_and_setting_and_the_collapsed_point_is_named(sweep, make):
    made = tradeoff(
        only_table(
            sweep(
                make.record(make.trial(), [make.score("a", 0.9), make.score("b", 0.7)]),
                make.record(make.trial(loss="dice"), [make.score(case, 0.0, empty="prediction") for case in "ab"]),
                make.record(make.trial("vnet"), [make.score("a", 0.9), make.score("b", 0.8)]),
            )
        )
    )
    assert made is not None
    axes = made.axes[0]
    assert axes.get_xlabel() == "Latency, median [ms]\nkeras on cpu, batch 1, 32×32×1, float32"
    assert texts(axes) == ["† 0.000 ↓"]
    assert axes.get_ylim()[0] > 0.7


def test_one_model_has_no_trade_off_between_score_and_latency(sweep, make):
    records = [make.record(make.trial(loss=loss), [make.score("a", 0.8)]) for loss in ("bce", "dice")]
    assert tradeoff(only_table(sweep(*records))) is None


def _timed(make, model, loss, dice, latency_s):
    samples = [make.latency("keras", [latency_s] * 3)]
    return make.record(make.trial(model, loss), [make.score("a", dice)], latency=samples)


def test_names_stand_beside_the_points_where_colours_would_repeat(sweep, make):
    records = [_timed(make, f"net_{k}", "bce", 0.5 + 0.04 * k, 0.01 * (k + 1)) for k in range(10)]
    made = tradeoff(only_table(sweep(*records)))
    assert made is not None
    assert sorted(texts(made.axes[0])) == [f"net_{k}" for k in range(10)]
    made.draw_without_rendering()
    boxes = [text.get_window_extent() for text in made.axes[0].texts]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


def test_of_more_losses_than_markers_the_best_stands_for_each_model(sweep, make):
    records = [
        _timed(make, model, f"loss_{k:02}", 0.5 + 0.01 * k, 0.01) for model in ("unet", "vnet") for k in range(13)
    ]
    made = tradeoff(only_table(sweep(*records)))
    assert made is not None
    points = [line for line in made.axes[0].get_lines() if len(line.get_ydata()) == 1]
    assert [line.get_ydata()[0] for line in points] == pytest.approx([0.62, 0.62])


def test_more_losses_than_fit_in_a_column_stand_side_by_side(sweep, make):
    made = curves(only_table(sweep(*(_timed(make, "unet", f"loss_{k:02}", 0.5, 0.01) for k in range(25)))))
    assert made is not None
    assert len(made.axes) == 50
    assert [axes.get_ylabel() for axes in made.axes[::2]] == [f"loss_{k:02}" for k in range(25)]


def test_no_latency_no_plot(sweep, make):
    assert tradeoff(only_table(sweep(make.record(make.trial(), [make.score("a", 0.8)], latency=[])))) is None


def test_curves_mark_the_selected_epoch(folder):
    made = curves(only_table(folder))
    assert made is not None
    right = made.axes[1]
    dots = [line for line in right.get_lines() if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in dots] == [(2, 0.8)]


@pytest.fixture
def many(sweep, make):
    """Twenty models with one loss."""
    trials = [make.trial(f"model_{k:02}") for k in range(20)]
    return sweep(*(make.record(trial, [make.score("a", 0.9), make.score("b", 0.7)]) for trial in trials))


def test_curves_of_many_models_are_named_beside_panes_of_eight(many):
    made = curves(only_table(many))
    assert made is not None
    assert len(made.axes) == 6
    named = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in made.axes[1::2]]
    assert [len(names) for names in named] == [8, 8, 4]
    assert [name for names in named for name in names] == [f"model_{k:02}" for k in range(20)]
    assert [len(axes.get_lines()) for axes in made.axes[::2]] == [16, 16, 8]  # a curve and its dot each


def test_many_models_are_rows_of_the_heatmap(many):
    made = heatmap(only_table(many))
    axes = made.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"model_{k:02}" for k in range(20)]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["bce"]
    assert made.get_figwidth() < 10


def test_no_history_no_curves(sweep, make):
    assert curves(only_table(sweep(make.record(make.trial(), status="failed", reason="no memory")))) is None


def test_panel_shows_the_cases_that_all_previews_have(sweep, make, previews):
    trials = [make.trial("unet"), make.trial("vnet")]
    folder = sweep(*(make.record(trial, [make.score("a", 0.9), make.score("b", 0.7)]) for trial in trials))
    previews(folder, trials[0], ("a", "b"))
    previews(folder, trials[1], ("b", "c"))
    made = panel(only_table(folder), folder)
    assert made is not None
    assert len(made.axes) == 5  # one case; image, truth, prediction and two errors
    assert made.axes[0].get_ylabel() == "b"
    assert texts(made.axes[3]) == ["Dice 0.700"]


def test_no_previews_no_panel(folder):
    assert panel(only_table(folder), folder) is None


def test_panel_takes_the_seed_in_the_middle(sweep, make, previews):
    trials = [make.trial(seed=seed) for seed in range(3)]
    folder = sweep(*(make.record(t, [make.score("a", dice)]) for t, dice in zip(trials, (0.9, 0.5, 0.7), strict=True)))
    for trial in trials:
        previews(folder, trial, ("a", "z"))
    made = panel(only_table(folder), folder)
    assert made is not None
    assert texts(made.axes[3]) == ["Dice 0.700"]


def test_models_have_colours_of_their_own_and_long_names_are_folded():
    assert len(set(colour_of("abcdefgh").values())) == 8
    assert folded("unet_light(normalisation=batch, width=16)", 20) == "unet_light(\nnormalisation=batch,\nwidth=16)"
    assert folded("bce", 20) == "bce"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("unet_quarter(normalisation=batch)", 18, ["unet_quarter(", "normalisation=", "batch)"]),
        ("unet · exponential_logarithmic", 18, ["unet ·", "exponential_", "logarithmic"]),
        ("unet_quarter · bce", 18, ["unet_quarter · bce"]),
        ("Kolmogorov and abcdefghijklmnop", 8, ["Kolmogorov", "and", "abcdefghijklmnop"]),
        ("細胞核の分割", 6, ["細胞核", "の分割"]),
    ],
)
def test_no_word_is_broken(text, width, lines):
    assert folded(text, width).split("\n") == lines


def test_plots_have_room_for_long_words_and_for_letters_that_no_font_has(sweep, make, previews):
    words = ["Donaudampfschifffahrtsgesellschaft", "Rindfleischetikettierungsüberwachung", "細胞核"]
    trials = [make.trial(f"net_{k}", loss) for k in range(2) for loss in ("bce", "dice", "focal")]
    labels = {"losses": [{"name": n, "label": w} for n, w in zip(("bce", "dice", "focal"), words, strict=True)]}
    labels["models"] = [{"name": "net_0", "label": "Grundstücksverkehrsgenehmigungszuständig"}]
    folder = sweep(*(make.record(trial, [make.score("a", 0.9), make.score("b", 0.7)]) for trial in trials), **labels)
    for trial in trials:
        previews(folder, trial, ("a", "b"))
    table = only_table(folder)
    with look():
        boxes, charts = heatmap(table).axes[0], distribution(table).axes[0]
        lines, pictures = curves(table), panel(table, folder)
        assert lines is not None
        assert pictures is not None
        _stand_free(boxes.get_xticklabels())
        _stand_free(boxes.get_yticklabels())
        _stand_free(charts.get_yticklabels())
        _stand_free([axes.yaxis.label for axes in lines.axes[::2]])
        _stand_free([axes.title for axes in pictures.axes[:5]])
    heads = [head.get_text() for head in boxes.get_xticklabels()]
    assert heads == ["Grundstücksverkehrsgenehmigungszuständig", "net_1"]


def _stand_free(labels):
    """None covers another or leaves the figure."""
    made = labels[0].get_figure(root=True)
    made.draw_without_rendering()
    boxes = [label.get_window_extent() for label in labels]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    assert all(box.x0 > -1 and box.y0 > -1 and box.x1 < made.bbox.x1 + 1 and box.y1 < made.bbox.y1 + 1 for box in boxes)


def test_a_row_whose_scores_are_all_undefined_is_drawn_as_that(sweep, make):
    empty = [make.score(case, None, empty="both") for case in "ab"]
    table = only_table(
        sweep(
            make.record(make.trial(), [make.score("a", 0.9), make.score("b", 0.7)]),
            make.record(make.trial(loss="dice"), empty),
            make.record(make.trial(loss="dice", seed=1), status="failed", reason="out of memory"),
        )
    )
    axes = distribution(table).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["bce", "dice"]
    assert texts(axes) == ["undefined on all cases"]
    assert sorted(texts(heatmap(table).axes[0])) == ["0.800", "undefined\nfailed"]
