"""What a prediction moves at least, counted by hand."""

import keras
from keras import layers

from unetbench.models.anatomy.trace import trace
from unetbench.models.anatomy.traffic import moved_activations


def _moved(*stack, channels=1):
    image = keras.Input((None, None, channels))
    x = image
    for layer in stack:
        x = layer(x)
    return moved_activations(trace(keras.Model(image, x), (4, 4)))


def test_a_convolution_reads_its_input_and_writes_its_output():
    assert _moved(layers.Conv2D(2, 3, padding="same")) == 16 + 32
    assert _moved(layers.Conv2D(2, 3, strides=2, padding="same")) == 16 + 8


def test_what_changes_single_numbers_is_part_of_the_call_before_it():
    stack = [layers.Conv2D(2, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.1)]
    assert _moved(*stack) == 16 + 32


def test_pooling_and_joining_move_what_they_touch():
    assert _moved(layers.MaxPooling2D()) == 16 + 4
    image = keras.Input((None, None, 1))
    joined = layers.Concatenate()([image, layers.Conv2D(2, 1)(image)])
    # the 1×1 convolution 16 + 32, the joining reads 16 + 32 and writes 48
    assert moved_activations(trace(keras.Model(image, joined), (4, 4))) == 16 + 32 + 96


def test_a_convolution_that_keeps_its_shape_is_counted():
    assert _moved(layers.Conv2D(1, 3, padding="same")) == 32
