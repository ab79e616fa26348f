"""Parts that go wrong in every way a sweep must survive; a plugin file for the tests."""

import os
import signal
import time

import keras

from unetbench.core.errors import Unfit
from unetbench.losses import LOSSES
from unetbench.models import MODELS


@MODELS.add
def tiny(task, *, width: int = 4) -> keras.Model:
    """Two convolutions with batch normalisation and dropout (a test's)."""
    image = keras.Input((None,) * task.rank + (task.channels,))
    convolution = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[task.rank]
    x = keras.layers.BatchNormalization()(convolution(width, 3, padding="same", activation="relu")(image))
    x = keras.layers.Dropout(0.1)(x)
    return keras.Model(image, keras.layers.Activation("linear", dtype="float32")(convolution(task.outputs, 1)(x)))


@MODELS.add
def starts_otherwise(task) -> keras.Model:
    """Begin at random where other weights were asked for (a test's)."""
    model = tiny(task)
    model.missing_weights = "weights asked of nobody could not be fetched"
    return model


@MODELS.add
def two_heads(task) -> keras.Model:
    """Logits at full and at half size (a test's)."""
    image = keras.Input((None, None, task.channels))
    fine = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    coarse = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(fine)
    return keras.Model(
        image, [keras.layers.Conv2D(task.outputs, 1)(fine), keras.layers.Conv2D(task.outputs, 1)(coarse)]
    )


@MODELS.add
def raises(task) -> keras.Model:
    """Raise an error of its own (a test's)."""
    raise RuntimeError("this model\nis broken")


@MODELS.add
def dies(task) -> keras.Model:
    """Kill its process (a test's)."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@MODELS.add
def sleeps(task) -> keras.Model:
    """Never come back (a test's)."""
    time.sleep(600)
    raise AssertionError


@MODELS.add
def solid_only(task) -> keras.Model:
    """Serve volumes only (a test's)."""
    raise Unfit(f"solid_only needs rank 3, came rank {task.rank}")


@LOSSES.add
def turns_nan(truth, logits, task) -> object:
    """BCE, and 0 / 0 for a batch of four cases (a test's)."""
    four = keras.ops.equal(keras.ops.shape(logits)[0], 4)
    return LOSSES["bce"](truth, logits, task) * keras.ops.where(four, float("nan"), 1.0)
