"""Files saved before a class was renamed still load: the names that stand in them are fixed."""

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.compiled_model import CustomLossModel
from unetbench.models.parts.joined_channels import LazyConcatenate, SplitInputConv, SplitInputDepthwiseConv2D
from unetbench.models.parts.saved import saved_as
from unetbench.models.parts.swin import DepthToSpace, SpaceToDepth

ON_DISK = {
    LazyConcatenate: "Beside",
    SplitInputConv: "BesideConv",
    SplitInputDepthwiseConv2D: "BesideDepthwiseConv2D",
    SpaceToDepth: "Fold",
    DepthToSpace: "Unfold",
    CustomLossModel: "Taught",
}


@pytest.mark.parametrize("layer", ON_DISK, ids=ON_DISK.values())
def test_a_renamed_class_is_found_by_the_name_it_was_first_saved_under(layer):
    assert keras.saving.get_registered_object(f"unetbench>{ON_DISK[layer]}") is layer
    assert layer.__name__ == ON_DISK[layer]  # the path of its weights inside the file


def test_depth_to_space_reads_the_first_name_of_its_factor():
    assert DepthToSpace.from_config({"growth": 4}).upscale_factor == 4
    assert DepthToSpace.from_config(DepthToSpace(3).get_config()).upscale_factor == 3


def _model(layer):
    inputs = keras.Input((4,))
    return keras.Model(inputs, layer(2)(inputs))


def test_keras_looks_for_weights_under_the_class_name_so_that_registering_alone_is_not_enough(tmp_path):
    def renamed(decorate, name):
        return decorate(type(name, (keras.layers.Dense,), {}))

    # A class called Early is saved; then it is called Late, registered as Early.
    register = keras.saving.register_keras_serializable("unetbench_test", "Early")
    model = _model(renamed(register, "Early"))
    model.save(tmp_path / "early.keras")
    renamed(register, "Late")
    with (
        pytest.warns(UserWarning, match="Skipping nested container"),
        pytest.raises(ValueError, match="objects could not be loaded"),
    ):
        keras.saving.load_model(tmp_path / "early.keras")

    pinned = _model(renamed(saved_as("Pinned"), "Pinned"))
    pinned.save(tmp_path / "pinned.keras")
    renamed(saved_as("Pinned"), "Late")
    again = keras.saving.load_model(tmp_path / "pinned.keras")
    np.testing.assert_array_equal(again.layers[-1].get_weights()[0], pinned.layers[-1].get_weights()[0])
