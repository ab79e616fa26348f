import numpy as np

from unetbench.benchmark.report.plots.outlines import outlines
from unetbench.benchmark.report.plots.style import look
from unetbench.core.task import Task
from unetbench.datasets.thumbnail import Thumbnail

BLACK = np.zeros((4, 4), np.uint8)


def _thumbnail(name="a", plane=None, drawn=None):
    return Thumbnail(name, BLACK, BLACK if drawn is None else drawn, plane)


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
