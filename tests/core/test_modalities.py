"""Names of the channels of a task, and what of a recipe and a record stays as it was without them."""

from dataclasses import asdict

import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task

PAIR = (("fluorescence", 1), ("phase", 2))


def test_a_task_says_how_many_channels_each_modality_has():
    assert Task(2, 3, ("cell",), modalities=PAIR).parts == (1, 2)
    assert Task(2, 3, ("cell",)).parts == (3,)


@pytest.mark.parametrize(
    ("modalities", "told"),
    [
        ((("a", 1), ("a", 2)), "each needs a name of its own"),
        ((("", 3),), "each needs a name of its own"),
        ((("a", 1), ("b", 1)), "modalities have [1, 1] channels, the image 3"),
        ((("a", 3), ("b", 0)), "modalities have [3, 0] channels"),
    ],
)
def test_modalities_that_do_not_add_up_are_one_line(modalities, told):
    with pytest.raises(DataError) as caught:
        Task(2, 3, ("cell",), modalities=modalities)
    assert told in str(caught.value)


def test_a_record_of_a_task_without_modalities_does_not_name_them():
    plain = Task(2, 3, ("cell",))
    assert "modalities" not in plain.to_json()
    assert plain.to_json() == {key: value for key, value in asdict(plain).items() if key != "modalities"}
    assert Task(2, 3, ("cell",), modalities=PAIR).to_json()["modalities"] == PAIR


def test_a_recipe_without_modality_dropout_has_the_identity_that_it_had():
    assert "modality_dropout" not in Recipe().identity()
    assert Recipe(modality_dropout=0.3).identity()["modality_dropout"] == 0.3
    assert Recipe(modality_dropout=0.3).describe() == "standard v2 with modality_dropout=0.3"
    told = {key: value for key, value in asdict(Recipe()).items() if key != "modality_dropout"}
    assert Recipe.from_json(told) == Recipe()


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_modality_dropout_is_a_share_below_one(share):
    with pytest.raises(SpecError, match=r"recipe\.modality_dropout: .* is not in \[0, 1\)"):
        Recipe(modality_dropout=share)
