"""Parts that go wrong in every way a sweep must survive; a plugin file for the tests."""

import ctypes
import os
import signal
import time
from pathlib import Path

import keras
import numpy as np

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
    print("this model is about to break")
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


@MODELS.add
def segfaults(task) -> keras.Model:
    """Read where nothing is (a test's)."""
    print("about to read", flush=True)
    ctypes.string_at(0)
    raise AssertionError


@MODELS.add
def plain(task, *, width: int = 4) -> keras.Model:
    """Two convolutions, without statistics or draws (a test's)."""
    image = keras.Input((None,) * task.rank + (task.channels,))
    convolution = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[task.rank]
    x = convolution(width, 3, padding="same", activation="relu")(image)
    return keras.Model(image, convolution(task.outputs, 1)(x))


def _where_more(logits, cases, act):
    """1, and before it what `act` does, where more cases than these are computed at once."""
    import tensorflow as tf

    def one(count):
        if count > cases:
            act()
        return np.float32(1)

    return tf.numpy_function(one, [tf.shape(logits)[0]], tf.float32)


@LOSSES.add
def takes_room(truth, logits, task, *, cases: int = 4) -> object:
    """BCE, and a petabyte of memory where more cases are computed at once (a test's)."""
    import tensorflow as tf

    print(f"room for {cases}")
    size = tf.where(tf.shape(logits)[0] > cases, tf.constant(2**48, tf.int64), 1)
    mean = tf.stop_gradient(tf.reduce_mean(logits))  # of constants TensorFlow would know the sum without any room
    return LOSSES["bce"](truth, logits, task) + (tf.reduce_sum(tf.fill([size], mean)) - mean)


@LOSSES.add
def killed_by_kernel(truth, logits, task) -> object:
    """BCE, and SIGKILL where more than four cases are computed at once, counted as the kernel does (a test's)."""

    def act():
        Path(os.environ["UNETBENCH_TEST_KILLS"]).write_text("1")
        os.kill(os.getpid(), signal.SIGKILL)

    return LOSSES["bce"](truth, logits, task) * _where_more(logits, 4, act)


@LOSSES.add
def hangs(truth, logits, task) -> object:
    """BCE, and no end where more than two cases are computed at once (a test's)."""
    print("about to hang")
    return LOSSES["bce"](truth, logits, task) * _where_more(logits, 2, lambda: time.sleep(600))
