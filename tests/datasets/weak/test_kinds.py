"""What a sweep file may say of labels, and how it is told again."""

import pytest

from unetbench.core.errors import SpecError
from unetbench.datasets.weak.cost import minutes
from unetbench.datasets.weak.kinds import (
    Boxes,
    Fraction,
    Points,
    Scribbles,
    drawn_alone,
    options_of,
    weak_labels,
    words,
)


@pytest.mark.parametrize(
    ("said", "meant", "options", "told"),
    [
        ({"points": 1}, Points(), {"points": 1}, "1 point"),
        ("points", Points(), {"points": 1}, "1 point"),
        ({"points": 3, "radius": 0, "seed": 4}, Points(3, radius=0, seed=4), None, "3 points (radius 0, seed 4)"),
        ({"points": 1, "pseudo": "voronoi"}, Points(pseudo="voronoi"), None, "1 point (voronoi)"),
        ("boxes", Boxes(), {"boxes": "fill"}, "boxes"),
        ({"boxes": "grabcut"}, Boxes("grabcut"), {"boxes": "grabcut"}, "boxes (grabcut)"),
        ("scribbles", Scribbles(), {"scribbles": 1}, "scribbles"),
        ({"scribbles": 2, "width": 3}, Scribbles(2, width=3), None, "2 scribbles (width 3)"),
        ({"fraction": 0.1}, Fraction(0.1), {"fraction": 0.1}, "0.1 of the masks"),
    ],
)
def test_each_kind_is_understood_stored_and_named(said, meant, options, told):
    found = weak_labels(said)
    assert found == meant
    stored = options_of(found)
    assert stored == (said if options is None else options)
    assert weak_labels(stored) == meant
    assert words(stored) == told


@pytest.mark.parametrize("said", ["full", None])
def test_full_masks_are_none_of_them(said):
    assert weak_labels(said) is None
    assert options_of(None) == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("point", "kind of labels 'point' is unknown; did you mean 'points'"),
        (3, "3 names none; name one of full, fraction, points, boxes, scribbles"),
        ({"radius": 1}, "names none"),
        ({"points": 1, "boxes": "fill"}, "names points and boxes; name one of full"),
        ({"points": 1, "raduis": 1}, "option 'raduis' is unknown; did you mean 'radius'"),
        ({"points": 0}, "points: 0 is below 1"),
        ({"points": 1.5}, "points: 1.5 is no whole number"),
        ({"points": True}, "points: True is no whole number"),
        ({"points": 1, "background": "some"}, "background: 'some' is no number"),
        ({"points": 1, "pseudo": "grabcut"}, "pseudo 'grabcut' is unknown"),
        ({"boxes": "fill", "seed": 1}, "option 'seed' is unknown"),
        ({"boxes": "tight"}, "boxes 'tight' is unknown"),
        ({"scribbles": 1, "width": 2}, "width: 2 is even"),
        ("fraction", "fraction needs its number"),
        ({"fraction": 0}, "fraction: 0 is not above 0 and at most 1"),
        ({"fraction": 1.5}, "fraction: 1.5 is not above 0 and at most 1"),
    ],
)
def test_what_is_no_kind_of_labels_is_one_line(said, told):
    with pytest.raises(SpecError) as error:
        weak_labels(said)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_minutes_by_hand():
    assert minutes({"clicks": 25, "objects": 12, "pixels": 4096}) == pytest.approx(1.0)
    assert minutes({"outlines": 60}) == pytest.approx(79.0)
    assert minutes({}) == 0


def test_words_are_the_same_in_whatever_order_options_are_stored():
    assert (
        words({"background": 2.0, "points": 3})
        == words({"points": 3, "background": 2.0})
        == "3 points (background 2.0)"
    )


@pytest.mark.parametrize(
    ("labels", "drawn", "made"),
    [
        ({"points": 3, "pseudo": "voronoi"}, {"points": 3}, "voronoi"),
        ({"points": 3, "pseudo": "none"}, {"points": 3}, ""),
        ({"boxes": "grabcut"}, {"boxes": "fill"}, "grabcut"),
        ({"boxes": "fill"}, {"boxes": "fill"}, ""),
        ({"fraction": 0.1, "rest": "open"}, {"fraction": 0.1}, "open"),
    ],
)
def test_what_was_drawn_is_told_from_what_was_made_of_it(labels, drawn, made):
    assert drawn_alone(labels) == (drawn, made)
