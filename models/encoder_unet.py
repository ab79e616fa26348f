"""U-Nets on an encoder of keras.applications."""

import hashlib
import io
import warnings
import zipfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import keras

from ..core.arrays import damage
from ..core.errors import FallbackWarning, Unfit, unknown
from ..core.hdf5 import own_numbers
from ..core.task import Task
from . import MODELS
from .parts.blocks import double_conv
from .parts.fit import require_rank
from .parts.layers import concatenate, conv, nearest
from .parts.norm import MOMENTUM
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style

WIDTHS = (256, 128, 64, 32, 16)
"""Filters of the decoder, coarse to fine."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's red, green and blue, of 0 … 1."""


@dataclass(frozen=True)
class _Encoder:
    """Network of keras.applications, its features at half to a sixteenth of the size, how ImageNet was shown to it."""

    network: str
    features: tuple[str, str, str, str]
    shown: str


ENCODERS = {
    "resnet50": _Encoder(
        "ResNet50", ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"), "caffe"
    ),
    "resnet101": _Encoder(
        "ResNet101", ("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block23_out"), "caffe"
    ),
    "mobilenet": _Encoder(
        "MobileNet", ("conv_pw_1_relu", "conv_pw_3_relu", "conv_pw_5_relu", "conv_pw_11_relu"), "signed"
    ),
    "mobilenet_v2": _Encoder(
        "MobileNetV2",
        ("block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"),
        "signed",
    ),
    "densenet121": _Encoder("DenseNet121", ("conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu"), "standard"),
    **{
        f"efficientnet_b{number}": _Encoder(
            f"EfficientNetB{number}",
            tuple(f"block{block}a_expand_activation" for block in (2, 3, 4, 6)),  # pyright: ignore[reportArgumentType]
            "bytes",
        )
        for number in range(5)
    },
}
"""Encoders by name."""


@MODELS.add
def encoder_unet(
    task: Task,
    *,
    encoder: str = "resnet50",
    weights: str | None = None,
    weights_sha256: str = "",
    normalisation: str = "batch",
) -> keras.Model:
    """U-Net whose encoder is a network of keras.applications (Iakubovskii 2019, segmentation_models).

    encoder: resnet50, resnet101, mobilenet, mobilenet_v2, densenet121, efficientnet_b0 … efficientnet_b4. weights: None
    starts at random; `imagenet` is fetched by Keras, and where the network does not give it the encoder starts at
    random with a warning; else a file of the encoder's weights without its top. weights_sha256: the first digits of
    that file's SHA-256, which a sweep fills in, so that another content is another trial. With weights the image is
    taken as red, green and blue in 0 … 1, a grey one three times. The model's attribute `initial_weights` says what it
    began with, `missing_weights` why it is not what was asked for. The decoder goes from 256 to 16 filters with
    nearest-neighbour up-sampling. The encoder's normalisations keep 0.9 of their old statistics a step, as all others
    here.
    32,547,665 trainable parameters on resnet50 from 3 channels to 1 output. Rank 2. Edges are multiples of 32.
    Raises Unfit for an unknown encoder, for a file that is missing, has another digest or does not fit, and for weights
    on other than 1 or 3 channels.
    """
    require_rank(task, 2, "encoder_unet")
    if encoder not in ENCODERS:
        raise Unfit(unknown("encoder_unet: encoder", str(encoder), ENCODERS))
    _check_weights(weights, weights_sha256, task)
    chosen, style = ENCODERS[encoder], Style(normalisation, bias=normalisation == "none")
    image = image_input(task)
    x = require_divisible(image, [(2, 2)] * len(WIDTHS))
    x = concatenate(x, x, x) if weights is not None and task.channels == 1 else x
    network, missing = _network(chosen, x.shape[-1], weights)
    *features, x = _features(chosen, network)(_shown(x, chosen.shown, weights is not None))
    for filters, level in zip(WIDTHS, (*reversed(features), None), strict=True):
        raised = nearest(x)
        x = double_conv(raised if level is None else concatenate(raised, level), filters, style)
    model = keras.Model(image, logits(conv(x, task.outputs)))
    model.initial_weights = _told(None if missing else weights)  # pyright: ignore[reportAttributeAccessIssue]
    model.missing_weights = missing  # pyright: ignore[reportAttributeAccessIssue]
    return model


def _check_weights(weights: str | None, digest: str, task: Task) -> None:
    if weights is None:
        return
    if not isinstance(weights, str) or (weights != "imagenet" and not Path(weights).is_file()):
        raise Unfit(f"encoder_unet: weights {weights!r} is no file; give the path of one, `imagenet`, or null")
    if digest and weights != "imagenet" and not _sha256(weights).startswith(digest):
        came = _sha256(weights)[: len(digest)]
        raise Unfit(f"encoder_unet: weights {weights!r} has SHA-256 {came}…, not {digest}…; the file has changed")
    if task.channels not in (1, 3):
        raise Unfit(f"encoder_unet: weights {weights!r} are for colour images, the task has {task.channels} channels")


def _network(chosen: _Encoder, channels: int, weights: str | None) -> tuple[keras.Model, str]:
    """The encoder with its weights, and why it has not those of ImageNet where they were asked for."""
    try:
        return _make(chosen, channels, weights), ""
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        if weights == "imagenet" and _from_network(error):
            missing = f"weights imagenet of {chosen.network} could not be fetched: {reason}"
            warnings.warn(f"encoder_unet: {missing}; the encoder starts at random", FallbackWarning, stacklevel=3)
            return _make(chosen, channels, None), missing
        if weights is None or not isinstance(error, OSError | ValueError | KeyError | UserWarning):
            raise
        mend = f"give a file saved from keras.applications.{chosen.network} without its top, or weights: null"
        raise Unfit(f"encoder_unet: weights {weights!r} do not fit {chosen.network}: {reason}; {mend}") from None


def _make(chosen: _Encoder, channels: int, weights: str | None) -> keras.Model:
    make = getattr(keras.applications, chosen.network)
    if weights not in (None, "imagenet"):
        _require_own_numbers(Path(weights))
    with warnings.catch_warnings():
        # Keras warns of other numbers of channels than 1 and 3, which serve when nothing was trained.
        warnings.filterwarnings("ignore", "This model usually expects")
        # Of a file that lacks layers Keras would leave those at random.
        warnings.filterwarnings("error", "Skipping nested container")
        # Convolutions take their weights at any size.
        warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
        return make(include_top=False, weights=weights, input_shape=(None, None, channels))


def _require_own_numbers(file: Path) -> None:
    """Raise ValueError for weights that are not all in their file, for HDF5 can lead to others; OSError stays."""
    with damage(), file.open("rb") as stream:
        if zipfile.is_zipfile(stream):
            with zipfile.ZipFile(stream) as archive:
                own_numbers(io.BytesIO(archive.read("model.weights.h5")))
        else:
            own_numbers(stream)


def _from_network(error: Exception) -> bool:
    # Keras says by a bare Exception that an address did not answer.
    return isinstance(error, OSError | HTTPException) or "URL fetch failure" in str(error)


def _features(chosen: _Encoder, network: keras.Model) -> keras.Model:
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # With the 0.999 of MobileNet the statistics of a prediction stay those of the start for thousands of steps.
            layer.momentum = MOMENTUM
    levels = [network.get_layer(name).output for name in chosen.features]
    return keras.Model(network.inputs, [*levels, network.outputs[0]], name="encoder")


def _told(weights: str | None) -> str:
    if weights in (None, "imagenet"):
        return weights or "random"
    return f"{weights}, SHA-256 {_sha256(weights)}"


def _sha256(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _shown(x, how: str, trained: bool):
    if how == "bytes":
        return keras.layers.Rescaling(255.0)(x)
    if not trained:
        return x
    if how == "signed":
        return keras.layers.Rescaling(2.0, offset=-1.0)(x)
    mean, spread = IMAGENET
    if how == "caffe":
        # Blue first, in bytes, less the mean.
        x = x[..., ::-1]
        offset: Any = [-103.939, -116.779, -123.68]
        return keras.layers.Rescaling(255.0, offset=offset)(x)
    scale: Any = [1 / s for s in spread]
    offset = [-m * s for m, s in zip(mean, scale, strict=True)]
    return keras.layers.Rescaling(scale, offset=offset)(x)
