"""A short name says what tells a part from the others, and never more than one part is called the same."""

import pytest

from unetbench.benchmark.naming.names import file_stem, short_names
from unetbench.benchmark.naming.trial_names import TrialNames, shared_options
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial


def _names(*choices, labels=None, by_base=False):
    return short_names(list(zip(choices, labels or [""] * len(choices), strict=True)), by_base=by_base)


def test_options_that_all_share_are_left_out():
    quarter = Choice("unet_quarter", {"normalisation": "batch"})
    light = Choice("unet_light", {"width": 16, "normalisation": "batch"})
    assert _names(quarter, light) == ["unet_quarter", "unet_light(width=16)"]
    assert _names(light) == ["unet_light"]


def test_an_option_that_one_has_and_another_lacks_stays():
    assert _names(Choice("dice"), Choice("dice", {"squared": True})) == ["dice", "dice(squared=true)"]


def test_a_folder_is_called_as_the_folder_is_with_what_differs():
    common = {"classes": ["nucleus"], "masks": "masks/*.png"}
    dna, actin = ({"images": f"{stain}/*.png", "path": "/data/coelho", **common} for stain in ("dna", "actin"))
    assert _names(Choice("folder", dna), by_base=True) == ["coelho"]
    assert _names(Choice("folder", dna), Choice("folder", actin), Choice("dsb2018"), by_base=True) == [
        "coelho(images=dna/*.png)",
        "coelho(images=actin/*.png)",
        "dsb2018",
    ]


def test_the_path_is_told_only_where_nothing_else_differs():
    one, two = (Choice("folder", {"images": "*.png", "path": f"{site}/images"}) for site in ("oslo", "bonn"))
    assert _names(one, two, by_base=True) == ["images(path=oslo/images)", "images(path=bonn/images)"]
    assert _names(Choice("folder", {"path": "."}), by_base=True) == ["folder"]


def test_training_labels_are_told_in_words_beside_the_other_options():
    points = {"labels": {"points": 1}}
    assert _names(Choice("cells"), Choice("cells", points), by_base=True) == ["cells", "cells, 1 point"]
    few = Choice("cells", {"count": 8, "labels": {"fraction": 0.1}})
    assert _names(Choice("cells", points), few, by_base=True) == ["cells, 1 point", "cells(count=8), 0.1 of the masks"]
    assert _names(Choice("unet", {"labels": 3}), Choice("unet")) == ["unet(labels=3)", "unet"]  # no labels of training


def test_a_label_is_the_name_and_others_give_way_to_it():
    labelled, plain = Choice("unet", {"width": 8, "depth": 3}), Choice("unet", {"width": 8})
    assert _names(labelled, plain, labels=["small", ""]) == ["small", "unet"]
    assert _names(labelled, plain, labels=["unet", ""]) == ["unet", "unet(width=8)"]


def test_what_is_written_alike_is_numbered():
    assert _names(Choice("a", {"x": "1"}), Choice("a", {"x": 1})) == ["a(x=1)", "a(x=1) #2"]


def test_equal_parts_have_equal_names():
    assert _names(Choice("unet"), Choice("vnet"), Choice("unet")) == ["unet", "vnet", "unet"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Coelho 2009", "Coelho-2009"),
        ("cells(form=volume)", "cells-form-volume"),
        ("Zellkerne, Größe M", "Zellkerne-Größe-M"),
        ("細胞核", "細胞核"),
        ("../../etc", "etc"),
        ("***", "table"),
    ],
)
def test_a_name_becomes_part_of_a_file_name(name, stem):
    assert file_stem(name) == stem


def test_a_file_name_is_never_too_long_for_a_file_system():
    assert len(file_stem("細" * 200).encode()) <= 160


def test_a_trial_is_called_by_what_differs_in_the_sweep():
    trials = [
        Trial(
            Choice("cells", {"count": 12}),
            {},
            Choice(model, {"width": 8}),
            Choice("dice", {"squared": True}),
            Recipe(),
            3,
        )
        for model in ("unet", "vnet")
    ]
    assert [str(TrialNames(trials)[trial]) for trial in trials] == [
        "cells · unet · dice · seed 3",
        "cells · vnet · dice · seed 3",
    ]
    assert shared_options(trials) == [("All models", "width=8"), ("Loss", "dice(squared=true)")]
    assert shared_options([]) == []
