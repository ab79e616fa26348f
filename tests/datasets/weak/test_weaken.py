"""Degraded truths never say what the full one does not, and are the same on every machine."""

import numpy as np
import pytest

from unetbench.core.errors import SpecError
from unetbench.core.task import Task
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source
from unetbench.datasets.weak.kinds import weak_labels
from unetbench.datasets.weak.pseudo import cluster
from unetbench.datasets.weak.weaken import check_weak, kept_cases, task_with_ignored, weaken

BINARY = Task(2, 1, ("cell",), ignore=255)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """A generated case of each form, its task with a value for what is not known."""
    source = Source(None, tmp_path_factory.mktemp("cache"))
    found = {}
    for form in ("nuclei", "nucleus_cytoplasm", "volume"):
        dataset = DATASETS["cells"](source, form=form, count=4)
        found[form] = dataset.cases[1].name, dataset.cases[1].read(), task_with_ignored(dataset.task)
    return found


def _weak(case, said):
    name, sample, task = case
    return weaken(name, sample.image, sample.truth, sample.instances, task, weak_labels(said))


@pytest.mark.parametrize("form", ["nuclei", "nucleus_cytoplasm", "volume"])
@pytest.mark.parametrize("said", [{"points": 2}, "scribbles", {"boxes": "ignore"}])
def test_what_is_known_is_so_in_the_full_truth(cases, form, said):
    made, (_, sample, task) = _weak(cases[form], said), cases[form]
    known = made.truth != task.ignore
    assert 0 < known.mean() < 1
    np.testing.assert_array_equal(made.truth[known], sample.truth[known])
    assert made.drawn["known"] == known.all(-1).sum()
    assert made.drawn["pixels"] == known[..., 0].size


@pytest.mark.parametrize("said", [{"points": 1}, "scribbles"])
def test_every_class_and_every_object_is_marked(cases, said):
    made, (_, sample, task) = _weak(cases["nucleus_cytoplasm"], said), cases["nucleus_cytoplasm"]
    assert set(np.unique(made.truth)) == {0, 1, 2, 255}
    nuclei = np.where(sample.truth[..., 0] == 2, sample.instances, 0)
    marked = np.unique(nuclei[made.truth[..., 0] == 2])
    assert set(marked) == set(np.unique(nuclei)) - {0}
    assert task.classes == ("background", "cytoplasm", "nucleus")


def test_clicks_are_as_many_as_asked_for(cases):
    made = _weak(cases["nuclei"], {"points": 3, "radius": 0, "background": 0.5})
    objects = made.drawn["objects"]
    assert made.drawn["clicks"] == 3 * objects + round(1.5 * objects)
    assert (made.truth == 1).sum() == 3 * objects
    assert (made.truth == 0).sum() == round(1.5 * objects)


def test_clicks_lie_well_inside_and_their_discs_do_not_leave_the_object():
    truth = np.zeros((20, 20, 1), np.uint8)
    truth[4:15, 3:14] = 1
    centres = set()
    for seed in range(20):
        labels = weak_labels({"points": 1, "radius": 0, "background": 0, "seed": seed})
        made = weaken("a", truth, truth, None, BINARY, labels)
        ((row, column),) = np.argwhere(made.truth[..., 0] == 1)
        assert 6 <= row <= 12 and 5 <= column <= 11  # three of at most six pixels from the border
        centres.add((row, column))
    assert len(centres) > 5
    wide = weaken("a", truth, truth, None, BINARY, weak_labels({"points": 1, "radius": 9}))
    assert ((wide.truth == 1) <= (truth == 1)).all()
    assert ((wide.truth == 0) <= (truth == 0)).all()


def test_the_same_case_is_degraded_alike_and_another_seed_elsewhere(cases):
    first, again = _weak(cases["nuclei"], {"points": 1}), _weak(cases["nuclei"], {"points": 1})
    other = _weak(cases["nuclei"], {"points": 1, "seed": 1})
    np.testing.assert_array_equal(first.truth, again.truth)
    assert (first.truth != other.truth).any()


def test_boxes_by_hand_the_smaller_one_above():
    truth = np.zeros((8, 10, 1), np.uint8)
    truth[1, 1:9] = truth[1:7, 1] = 1  # an L whose box is 6 × 8
    truth[4:6, 5:7] = 2
    task = Task(2, 1, ("background", "L", "square"), "exclusive", ignore=255)
    made = weaken("a", truth, truth, None, task, weak_labels("boxes"))
    expected = np.zeros_like(truth)
    expected[1:7, 1:9] = 1
    expected[4:6, 5:7] = 2
    np.testing.assert_array_equal(made.truth, expected)
    assert made.drawn == {"objects": 2, "boxes": 2, "pixels": 80, "known": 80}
    unknown = weaken("a", truth, truth, None, task, weak_labels({"boxes": "ignore"}))
    np.testing.assert_array_equal(unknown.truth == 255, expected > 0)


def test_what_the_data_set_ignores_stays_ignored():
    truth = np.zeros((8, 10, 1), np.uint8)
    truth[2:6, 2:6], truth[2:6, 4] = 1, 255
    for said in ("boxes", {"points": 1, "pseudo": "watershed"}, {"boxes": "grabcut"}):
        made = weaken("a", truth, truth, None, BINARY, weak_labels(said))
        assert (made.truth[truth == 255] == 255).all()


@pytest.mark.parametrize(
    ("said", "form", "least"),
    [
        ({"points": 1, "pseudo": "watershed"}, "nuclei", 0.9),
        ({"scribbles": 1, "width": 3, "pseudo": "watershed"}, "nuclei", 0.9),
        ({"boxes": "grabcut"}, "nuclei", 0.9),
        ("boxes", "nuclei", 0.85),
        ({"points": 1, "pseudo": "watershed"}, "volume", 0.5),
        ({"boxes": "grabcut"}, "volume", 0.6),
    ],
)
def test_guessed_masks_are_near_the_full_ones(cases, said, form, least):
    made, (_, sample, _) = _weak(cases[form], said), cases[form]
    found, truth = made.truth == 1, sample.truth == 1
    assert set(np.unique(made.truth)) <= {0, 1}
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > least


def test_the_edges_of_voronoi_cells_are_background_between_two_objects():
    truth = np.zeros((9, 21, 1), np.uint8)
    truth[3:6, 3:6] = truth[3:6, 15:18] = 1
    labels = weak_labels({"points": 1, "radius": 9, "background": 0, "pseudo": "voronoi"})
    made = weaken("a", truth, truth, None, BINARY, labels).truth[..., 0]
    np.testing.assert_array_equal(made == 1, truth[..., 0] == 1)
    assert (made[:, 10] == 0).all()
    assert (made[:, :9] != 0).all() and (made[:, 12:] != 0).all()


def _two_discs():
    """Two discs, one bright and one less so, and a brighter band far from both; the image, and the discs."""
    rows, columns = np.mgrid[:40, :60]
    discs = np.stack([(rows - 20) ** 2 + (columns - c) ** 2 <= 64 for c in (12, 32)])
    image = 0.8 * discs[0] + 0.6 * discs[1] + 0.7 * (columns > 54)
    return image[..., None].astype(np.float32), discs.any(0)[..., None].astype(np.uint8)


def test_clusters_follow_colour_near_clicks_and_know_nothing_of_what_is_like_neither():
    image, truth = _two_discs()
    made = weaken("a", image, truth, None, BINARY, weak_labels({"points": 1, "pseudo": "cluster"})).truth
    discs, band = truth == 1, np.broadcast_to(np.arange(60)[:, None] > 54, truth.shape)
    assert (made[discs] == 1).mean() > 0.9
    assert (made[~discs & ~band] == 0).mean() > 0.9
    assert (made[band] != 1).all()


def test_clusters_are_always_the_same():
    image, truth = _two_discs()
    labels = weak_labels({"points": 1, "pseudo": "cluster"})
    one, other = (weaken("a", image, truth, None, BINARY, labels).truth for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_without_a_click_or_where_all_pixels_are_alike_there_is_nothing_to_cluster():
    truth = np.zeros((12, 12, 1), np.uint8)
    labels = weak_labels({"points": 1, "pseudo": "cluster"})
    assert set(np.unique(weaken("a", truth, truth, None, BINARY, labels).truth)) <= {0, 255}
    markers, numbers = np.full((6, 6), -1), np.ones((6, 6), int)
    np.testing.assert_array_equal(cluster(markers, numbers, np.ones((6, 6, 1), np.float32)), markers)


@pytest.mark.parametrize("pseudo", ["voronoi", "cluster"])
def test_borders_of_objects_need_a_binary_task(pseudo):
    task = Task(2, 1, ("background", "cytoplasm", "nucleus"), "exclusive")
    with pytest.raises(SpecError, match=f"points: {pseudo} .*take `pseudo: watershed`"):
        check_weak(weak_labels({"points": 1, "pseudo": pseudo}), task)
    check_weak(weak_labels({"points": 1, "pseudo": "watershed"}), task)


@pytest.mark.parametrize("said", [{"points": 1}, "scribbles", "boxes", {"boxes": "grabcut"}, {"fraction": 0.5}])
@pytest.mark.parametrize("value", [0, 1])
def test_an_image_without_objects_or_full_of_one(said, value):
    truth = np.full((12, 12, 1), value, np.uint8)
    made = weaken("a", truth, truth, None, BINARY, weak_labels(said))
    known = made.truth != 255
    assert made.drawn["objects"] == value
    assert (made.truth[known] == value).all()


def test_planes_of_a_multilabel_task_are_marked_each_by_its_own_objects():
    truth = np.zeros((16, 16, 2), np.uint8)
    truth[2:8, 2:8, 0] = truth[5:12, 5:12, 1] = 1
    task = Task(2, 1, ("a", "b"), "multilabel", ignore=255)
    made = weaken("x", truth[..., :1], truth, None, task, weak_labels({"points": 1}))
    for plane in (0, 1):
        known = made.truth[..., plane] != 255
        np.testing.assert_array_equal(made.truth[..., plane][known], truth[..., plane][known])
        assert (made.truth[..., plane] == 1).any() and (made.truth[..., plane] == 0).any()


def test_a_smaller_fraction_is_part_of_a_larger_one():
    names = [f"case {k}" for k in range(40)]
    few, more = (kept_cases(names, weak_labels({"fraction": share})) for share in (0.1, 0.5))
    assert len(few) == 4 and len(more) == 20
    assert few < more < set(names)
    assert kept_cases(names, weak_labels({"fraction": 0.1, "seed": 1})) != few
    assert len(kept_cases(names[:2], weak_labels({"fraction": 0.01}))) == 1
