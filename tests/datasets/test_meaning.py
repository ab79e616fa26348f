import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets.meaning import meaning, spelled_out


def _meant(classes, masks="lab/*.png", **options):
    return meaning(classes, masks, **{"ignore": None, **options})


@pytest.mark.parametrize(
    ("classes", "background", "names"),
    [
        ({"background": 0, "nucleus": 255}, "", ("background", "nucleus")),
        ({"nucleus": 255, "background": 0}, "", ("background", "nucleus")),
        ({"nucleus": 255, "paper": 0}, "", ("paper", "nucleus")),
        ({"ink": 0, "Background": 255}, "", ("Background", "ink")),
        ({"a": 3, "b": 7}, "b", ("b", "a")),
        ({"a": 0, "b": 7}, "b", ("b", "a")),
        ({"a": 1, "b": [0, 7], "c": 2}, "", ("b", "a", "c")),
    ],
)
def test_the_background_is_what_is_said_or_called_so_or_has_the_value_zero(classes, background, names):
    found = _meant(classes, background=background)
    assert found.names == names
    first = classes[names[0]]
    assert found.values[0] == (tuple(first) if isinstance(first, list) else (first,))


def test_the_order_of_a_mapping_changes_no_truth():
    mask = np.array([[0, 255, 255]], np.uint8)
    for classes in ({"background": 0, "nucleus": 255}, {"nucleus": 255, "background": 0}):
        assert _meant(classes).plane(mask, "a")[0, :, 0].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        ({"a": 1, "b": 2}, {}, "which of a, b is the background.*say `background: NAME`"),
        ({"a": 0, "b": 2}, {"background": "c"}, "'c' is no class; there are a, b"),
        ({"a": 0, "b": [0, 1]}, {}, "a and b both have the value 0"),
        (["nucleus", "background"], {}, r"its first class is the background, not 'background'.*{nucleus: 0, backg"),
        (["a", "b"], {"background": "b"}, "its first class is the background, not 'b'"),
        (["background"], {}, "is the only class, so it is the object"),
        ({"background": 0}, {}, "is the only class, so it is the object"),
        ([False, "yes"], {}, 'the name False is no text; YAML reads no, off.*in quotes, for instance "no"'),
        ({1: 1, "a": 0}, {}, "the name 1 is no text"),
        ([None], {}, "the name None is no text"),
        (["a"], {"components": True}, "goes with `instances: true`"),
        (["a"], {"ignore": 2.5}, "2.5 is not a whole number"),
        (["a"], {"ignore": True}, "True is not a whole number"),
        (["a"], {"ignore": 0}, "0 is the value of the class background"),
        (["a", "b"], {"ignore": 1}, "1 is the value of the class b, which would never be seen"),
        ({"a": 0, "b": 255}, {"ignore": 255}, "255 is the value of the class b"),
        ({"a": "#000000", "b": 1}, {}, "a has a colour and b a value; masks are read as one of the two"),
        (
            {"a": "#000000", "b": "red"},
            {},
            "b: 'red' is not a whole number, nor a colour; write a colour as \"#rrggbb\"",
        ),
        ({"a": "#000000", "b": "#fff"}, {}, "'#fff' is not a whole number, nor a colour"),
        ({"a": "#000000", "b": None}, {}, "None is not a whole number .*, nor a colour; .*YAML takes # for a comment"),
        ({"a": 0, "b": [255, 0, 0]}, {}, "a and b both have the value 0"),
        ({"b": [255, 0, 0]}, {}, "b has twice the value 0; one can; write a colour as"),
        ({"a": "#00FF00", "b": ["#ff0000", "#00ff00"]}, {}, "a and b both have the value #00ff00"),
        ({"a": "#00ff00", "b": "#ff0000"}, {}, "which of a, b is the background.*colour #000000 or is called"),
        ({"a": "#000000", "b": "#ff0000"}, {"ignore": 255}, "255 is no colour, as the classes are; write a colour"),
        ({"a": "#000000", "b": "#ff0000"}, {"ignore": "#FF0000"}, "#FF0000 is the value of the class b"),
        ({"a": 0, "b": 1}, {"ignore": "#ff0000"}, "not a whole number.*colours are possible where the classes"),
        (["a"], {"threshold": 0}, "0 is no number above 0"),
        (["a"], {"threshold": True}, "True is no number above 0"),
        (["a"], {"threshold": "128"}, "'128' is no number above 0"),
        (["a", "b"], {"threshold": 128}, r"a list of one name, as in `classes: \[cell\]`"),
        ({"a": 255}, {"threshold": 128}, r"a list of one name, as in `classes: \[cell\]`"),
        (["a"], {"threshold": 128, "instances": True}, "add `components: true`, or drop `instances`"),
        (["a"], {"threshold": 128, "ignore": 7}, "so that `ignore` would mark none"),
    ],
)
def test_what_is_not_clear_is_an_error_that_asks(classes, options, message):
    with pytest.raises(SpecError, match=message):
        _meant(classes, **options)


def test_names_of_masks_by_class_are_text_too():
    with pytest.raises(SpecError, match=r"folder\.masks: the name False is no text"):
        _meant(None, {False: "a/*.png", "b": "b/*.png"})


def test_only_a_mapping_that_earlier_versions_misread_gets_the_background_in_words():
    right = {"name": "folder", "classes": {"background": 0, "nucleus": 255}}
    wrong = {"name": "folder", "classes": {"nucleus": 255, "background": 0}}
    assert spelled_out(right) == right
    assert spelled_out({**right, "background": "background"}) == right
    assert spelled_out(wrong) == {**wrong, "background": "background"}
    white = {"classes": {"cell": "#ff0000", "page": "#000000"}}
    assert spelled_out(white) == {**white, "background": "page"}
    assert spelled_out({"classes": ["a"]}) == {"classes": ["a"]}


def test_a_strange_value_that_may_be_the_foreground_is_not_advised_to_be_ignored():
    with pytest.raises(DataError, match=r"`classes: {background: 0, cell: 255}`") as caught:
        _meant(["background", "cell"]).plane(np.array([[0, 255]], np.uint8), "a.png")
    assert "ignore" not in str(caught.value)
    with pytest.raises(DataError, match=r"`NAME: 255` in a mapping `classes`, or `ignore: 255` if nobody knows"):
        _meant(["background", "cell"]).plane(np.array([[0, 1, 255]], np.uint8), "a.png")


def test_a_mask_saved_as_jpeg_is_told_so():
    with pytest.raises(DataError, match="JPEG and smooth edges leave such values: say `threshold: 128`, or save masks"):
        _meant(["cell"]).plane(np.array([[0, 3, 253, 255]], np.uint8), "a.jpg", lossy=True)
