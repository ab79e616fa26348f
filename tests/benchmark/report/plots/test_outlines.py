import numpy as np
from matplotlib.colors import to_rgb

from unetbench.benchmark.report.plots.outlines import OUTLINES, outlines, painted
from unetbench.benchmark.report.plots.style import look
from unetbench.core.task import Task
from unetbench.datasets.thumbnail import Thumbnail

BLACK = np.zeros((4, 4), np.uint8)


def _thumbnail(name="a", plane=None, drawn=None):
    return Thumbnail(name, BLACK, BLACK if drawn is None else drawn, plane)


def test_each_class_is_painted_in_its_colour_and_the_rest_is_the_image():
    drawn = np.array([[2, 3], [4, 0]], np.uint8)  # class 1, class 2, ignored and nothing
    task = Task(2, 1, ("none", "cell", "debris"), "exclusive", ignore=255)
    made = painted(Thumbnail("a", np.full((2, 2), 50, np.uint8), drawn, None), task)
    for place, colour in (((0, 0), OUTLINES[0]), ((0, 1), OUTLINES[1]), ((1, 0), "#999933")):
        assert made[place].tolist() == np.round(np.array(to_rgb(colour)) * 255).astype(int).tolist()
    assert made[1, 1].tolist() == [50, 50, 50]


def test_a_row_a_data_set_with_names_below_and_classes_beside(tmp_path):
    rows = [
        ("nuclei", Task(2, 1, ("nucleus",)), [_thumbnail("a"), _thumbnail("b")]),
        ("unreadable", Task(2, 1, ("x",)), []),
        ("brains", Task(3, 1, ("none", "left", "right"), "exclusive"), [_thumbnail("x" * 64, 7)]),
    ]
    with look():
        made = outlines(rows)
        made.savefig(tmp_path / "made.png")
    assert (tmp_path / "made.png").stat().st_size > 0
    bands = made.subfigs
    assert [band.get_suptitle() for band in bands] == ["nuclei", "brains"]
    assert [axes.get_xlabel() for axes in bands[0].axes] == ["a", "b"]
    assert bands[1].axes[0].get_xlabel().replace("\n", " ") == f"{'x' * 15}…{'x' * 15}, slice 7"
    assert [text.get_text() for text in bands[1].legends[0].get_texts()] == ["left", "right"]
