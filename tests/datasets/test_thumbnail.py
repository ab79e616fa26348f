import numpy as np
from matplotlib.colors import to_rgb

from unetbench.core.task import Task
from unetbench.datasets.case import Case, Sample
from unetbench.datasets.thumbnail import EDGE, OUTLINES, Thumbnail, chosen


def _case(name, group, stratum=""):
    return Case(name, group, lambda: None, stratum)  # type: ignore[arg-type, return-value]


def test_cases_of_every_stratum_and_of_groups_far_apart_are_chosen():
    many = [_case(f"a{k:02}", f"g{k // 4}", "common") for k in range(40)]
    rare = [_case("b0", "h", "rare"), _case("b1", "h", "rare")]
    picked = chosen([*many, *rare])
    assert len(picked) == 6
    assert [case.name for case in picked if case.stratum == "rare"] == ["b0", "b1"]
    assert [case.name for case in picked if case.stratum == "common"] == ["a00", "a12", "a24", "a36"]
    assert picked == sorted(picked, key=lambda case: case.name)


def test_few_cases_are_all_chosen_and_more_strata_than_pictures_take_one_each():
    few = [_case(str(k), "one") for k in range(3)]
    assert chosen(few) == few
    strata = [_case(f"{k}", f"{k}", f"s{k}") for k in range(9)]
    assert len(chosen(strata)) == 6
    assert chosen([]) == []


def test_the_outline_is_the_border_of_the_mask_inside_it():
    truth = np.zeros((EDGE, EDGE // 2, 1), np.uint8)
    truth[10:20, 30:50] = 1
    image = np.random.default_rng(0).integers(0, 4000, truth.shape).astype(np.uint16)
    made = Thumbnail.of("a", Sample(image, truth), Task(2, 1, ("cell",)))
    expected = truth[..., 0].copy()
    expected[11:19, 31:49] = 0
    np.testing.assert_array_equal(made.outlines, expected)
    assert made.image.dtype == np.uint8
    assert (made.image.min(), made.image.max(), made.plane) == (0, 255, None)


def test_touching_objects_are_kept_apart_and_ignored_pixels_have_their_own_outline():
    truth = np.zeros((EDGE, EDGE, 1), np.uint8)
    truth[:50, :40] = 1
    truth[200:220, 200:220] = 255
    objects = np.zeros((EDGE, EDGE), np.int32)
    objects[:50, :20], objects[:50, 20:40] = 1, 2
    image = np.random.default_rng(0).integers(0, 255, truth.shape).astype(np.uint8)
    task = Task(2, 1, ("cell",), ignore=255)
    plain = Thumbnail.of("a", Sample(image, truth), task).outlines
    apart = Thumbnail.of("a", Sample(image, truth, objects), task).outlines
    assert plain[10, 19] == 0
    assert (apart[10, 19], apart[10, 20]) == (1, 1)
    assert (plain[200, 210], plain[210, 210]) == (2, 0)


def test_of_a_volume_the_slice_with_most_foreground_is_shown_and_grown():
    truth = np.zeros((5, 20, 10, 1), np.uint8)
    truth[1, 4:6, 4:6], truth[3, 4:12, 2:8] = 1, 2
    image = np.random.default_rng(0).normal(size=(5, 20, 10, 2)).astype(np.float32)
    made = Thumbnail.of("a", Sample(image, truth), Task(3, 2, ("none", "a", "b"), "exclusive"))
    assert made.plane == 3
    assert made.image.shape == made.outlines.shape == (EDGE, EDGE // 2)
    assert set(np.unique(made.outlines)) == {0, 3}


def test_large_pictures_are_shrunk_and_colours_stay():
    image = np.zeros((900, 1200, 3), np.uint8)
    image[..., 0] = np.arange(1200) % 256
    made = Thumbnail.of("a", Sample(image, np.zeros((900, 1200, 1), np.uint8)), Task(2, 3, ("cell",)))
    assert made.image.shape == (EDGE * 3 // 4, EDGE, 3)
    assert made.image[..., 0].any()
    assert not made.image[..., 1:].any()
    assert not made.outlines.any()


def test_each_class_is_painted_in_its_colour_and_the_rest_is_the_image():
    drawn = np.array([[2, 3], [4, 0]], np.uint8)  # class 1, class 2, ignored and nothing
    task = Task(2, 1, ("none", "cell", "debris"), "exclusive", ignore=255)
    made = Thumbnail("a", np.full((2, 2), 50, np.uint8), drawn, None).painted(task)
    for place, colour in (((0, 0), OUTLINES[0]), ((0, 1), OUTLINES[1]), ((1, 0), "#999933")):
        assert made[place].tolist() == np.round(np.array(to_rgb(colour)) * 255).astype(int).tolist()
    assert made[1, 1].tolist() == [50, 50, 50]
