"""The weights of a reference network in PyTorch, carried into ours, give the same logits."""

import re

import keras
import numpy as np
import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS

torch = pytest.importorskip("torch", reason="the reference implementations need PyTorch: pip install -e '.[parity]'")
nets = pytest.importorskip("monai.networks.nets", reason="MONAI is missing: pip install -e '.[parity]'")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("default")]  # MONAI warns of its own deprecations

TOLERANCE = 1e-4


def _task(rank: int, channels: int, outputs: int) -> Task:
    return Task(rank, channels, tuple(f"class {k}" for k in range(outputs)), "exclusive")


def _dynamic(name: str, rank: int, strides, kernels, blocks, convolutions: int):
    architectures = pytest.importorskip("dynamic_network_architectures.architectures.unet")
    convolution = (torch.nn.Conv2d, torch.nn.Conv3d)[rank - 2]
    norm = (torch.nn.InstanceNorm2d, torch.nn.InstanceNorm3d)[rank - 2]
    levels = len(kernels)
    widths = [4 * 2**level for level in range(levels)]
    options = {"norm_op": norm, "norm_op_kwargs": {"eps": 1e-5, "affine": True}, "conv_bias": True}
    options |= {"nonlin": torch.nn.LeakyReLU, "nonlin_kwargs": {}, "deep_supervision": True}
    network = getattr(architectures, name)
    return network(1, levels, widths, convolution, kernels, strides, blocks, 2, convolutions, **options)


def _scse(rank: int):
    module = pytest.importorskip(f"pymic.net.net{rank}d.unet{rank}d_scse")
    options = {"in_chns": 1, "class_num": 2, "feature_chns": [8, 16, 32, 64], "dropout": [0.0] * 4, "up_mode": 0}
    options |= {"norm_type": "batch_norm", "multiscale_pred": False}
    network = getattr(module, f"UNet{rank}D_ScSE")(options)
    # The 2D network of PyMIC 0.6.2 takes the encoder and decoder without gates in place of its own.
    network.encoder, network.decoder = module.EncoderScSE(options), module.DecoderScSE(options)
    return network


def _smp_densenet():
    smp = pytest.importorskip("segmentation_models_pytorch")
    network = smp.Unet("densenet121", encoder_weights=None, classes=2)
    # Keras ends DenseNet with the ReLU that torchvision keeps for its classifier.
    network.encoder.features.norm5 = torch.nn.Sequential(network.encoder.features.norm5, torch.nn.ReLU())
    return network


ISOTROPIC = {"strides": [1, 2, 2, 2], "kernels": [3] * 4}
ANISOTROPIC = {
    "strides": [(1, 1, 1), (1, 2, 2), (2, 2, 2)],
    "kernels": [(1, 3, 3), (3, 3, 3), (3, 3, 3)],
}
MEDNEXT = {"kernel_size": 3, "use_residual_connection": True}
RESIDUAL = {"blocks": [1, 3, 4, 6], "convolutions": 1}
PLAIN = {"blocks": 2, "convolutions": 2}
CUBE, SQUARE, SLAB = (32, 32, 32), (48, 32), (8, 32, 16)
HALF = {"depth": 3, "patch": (64, 64), "width": 4, "deep_supervision": True}
THICK = Task(3, 1, ("background", "object"), "exclusive", spacing_mm=(3.0, 1.0, 1.0))

CASES = {
    "vnet-2d": ("vnet", {"bias": False}, _task(2, 1, 2), (32, 48), lambda: nets.VNet(2, 1, 2)),
    "vnet-3d": ("vnet", {"bias": False}, _task(3, 1, 2), (32, 16, 16), lambda: nets.VNet(3, 1, 2)),
    "residual_unet-2d": (
        "residual_unet",
        {"width": 8, "depth": 3},
        _task(2, 3, 2),
        SQUARE,
        lambda: nets.UNet(2, 3, 2, (8, 16, 32, 64), (2, 2, 2), num_res_units=2, norm="batch"),
    ),
    "residual_unet-3d": (
        "residual_unet",
        {"width": 8, "depth": 3, "normalisation": "instance", "units": 3},
        _task(3, 1, 2),
        CUBE,
        lambda: nets.UNet(3, 1, 2, (8, 16, 32, 64), (2, 2, 2), num_res_units=3, norm=("instance", {"affine": True})),
    ),
    "attention_unet_monai-2d": (
        "attention_unet_monai",
        {"width": 8, "depth": 3},
        _task(2, 3, 2),
        SQUARE,
        lambda: nets.AttentionUnet(2, 3, 2, (8, 16, 32, 64), (2, 2, 2)),
    ),
    "attention_unet_monai-3d": (
        "attention_unet_monai",
        {"width": 8, "depth": 3},
        _task(3, 1, 2),
        CUBE,
        lambda: nets.AttentionUnet(3, 1, 2, (8, 16, 32, 64), (2, 2, 2)),
    ),
    "basic_unet-2d": (
        "basic_unet",
        {"width": 8},
        _task(2, 3, 2),
        SQUARE,
        lambda: nets.BasicUNet(2, 3, 2, (8, 8, 16, 32, 64, 8)),
    ),
    "basic_unet-3d": (
        "basic_unet",
        {"width": 8},
        _task(3, 1, 2),
        CUBE,
        lambda: nets.BasicUNet(3, 1, 2, (8, 8, 16, 32, 64, 8)),
    ),
    "basic_unet_plus_plus-2d": (
        "basic_unet_plus_plus",
        {"width": 8},
        _task(2, 3, 2),
        SQUARE,
        lambda: nets.BasicUNetPlusPlus(2, 3, 2, (8, 8, 16, 32, 64, 8)),
    ),
    "basic_unet_plus_plus-3d": (
        "basic_unet_plus_plus",
        {"width": 8},
        _task(3, 1, 2),
        CUBE,
        lambda: nets.BasicUNetPlusPlus(3, 1, 2, (8, 8, 16, 32, 64, 8)),
    ),
    "unetr-2d": (
        "unetr",
        {"width": 4, "hidden": 48, "heads": 3, "patch": SQUARE},
        _task(2, 3, 2),
        SQUARE,
        lambda: nets.UNETR(3, 2, SQUARE, 4, 48, 192, 3, spatial_dims=2),
    ),
    "unetr-3d": (
        "unetr",
        {"width": 4, "hidden": 48, "heads": 3, "patch": CUBE},
        _task(3, 1, 2),
        CUBE,
        lambda: nets.UNETR(1, 2, CUBE, 4, 48, 192, 3),
    ),
    "mednext-2d": ("mednext", {"width": 4}, _task(2, 1, 2), SQUARE, lambda: nets.MedNeXt(2, 4, 1, 2, **MEDNEXT)),
    "mednext-3d": ("mednext", {"width": 4}, _task(3, 1, 2), CUBE, lambda: nets.MedNeXt(3, 4, 1, 2, **MEDNEXT)),
    "scse_unet-2d": ("scse_unet", {"width": 8, "depth": 3}, _task(2, 1, 2), SQUARE, lambda: _scse(2)),
    "scse_unet-3d": ("scse_unet", {"width": 8, "depth": 3}, _task(3, 1, 2), CUBE, lambda: _scse(3)),
    "encoder_unet-densenet121": (
        "encoder_unet",
        {"encoder": "densenet121"},
        _task(2, 3, 2),
        (64, 96),
        _smp_densenet,
    ),
    "nnunet-2d": ("nnunet", HALF, _task(2, 1, 2), SQUARE, lambda: _dynamic("PlainConvUNet", 2, **ISOTROPIC, **PLAIN)),
    "nnunet-3d-anisotropic": (
        "nnunet",
        {"width": 4, "patch": (8, 32, 16), "depth": 2, "deep_supervision": True},
        THICK,
        SLAB,
        lambda: _dynamic("PlainConvUNet", 3, **ANISOTROPIC, **PLAIN),
    ),
    "nnunet_residual-2d": (
        "nnunet_residual",
        HALF,
        _task(2, 1, 2),
        SQUARE,
        lambda: _dynamic("ResidualEncoderUNet", 2, **ISOTROPIC, **RESIDUAL),
    ),
    "nnunet_residual-3d": (
        "nnunet_residual",
        {"width": 4, "patch": (32, 32, 32), "deep_supervision": True},
        _task(3, 1, 2),
        CUBE,
        lambda: _dynamic("ResidualEncoderUNet", 3, **ISOTROPIC, **RESIDUAL),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_the_reference_with_its_weights(name):
    recipe, options, task, size, reference = CASES[name]
    torch.manual_seed(0)
    model, network = MODELS[recipe](task, **options), _stirred(reference())
    image = np.random.default_rng(0).normal(size=(2, *size, task.channels)).astype("float32")
    expected = _transplant(network, model, image)
    logits = model(image)
    logits = (logits[0] if isinstance(logits, list) else logits).numpy()
    assert expected.std() > 0.01
    np.testing.assert_allclose(logits, expected, rtol=TOLERANCE, atol=TOLERANCE)


def _stirred(network):
    """Give normalisations and biases values that a wrong place would betray."""
    for module in network.modules():
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            if name in ("running_var",) or (name == "weight" and tensor.ndim == 1 and tensor.numel() > 1):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
            elif name in ("running_mean", "bias"):
                torch.nn.init.normal_(tensor, 0.0, 0.1)
    return network.eval()


def _transplant(network, model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Run the network, copy the weights of each module that ran into our layer of that kind and number."""
    ran: dict[str, list] = {}
    dense = any(isinstance(layer, keras.layers.Dense) for layer in model.layers)
    hooks = [
        module.register_forward_hook(lambda m, *_: ran.setdefault(_kind(m, dense), []).append(m))
        for module in _leaves(network)
    ]
    with torch.no_grad():
        outputs = network(torch.from_numpy(np.moveaxis(image, -1, 1)))
    for hook in hooks:
        hook.remove()
    layers: dict[str, list] = {}
    for layer in _layers(model):
        layers.setdefault(KINDS[type(layer).__name__], []).append(layer)
    ran = {kind: [m for m in modules if m not in _unused(network)] for kind, modules in ran.items()}
    assert {kind: len(found) for kind, found in ran.items()} == {kind: len(found) for kind, found in layers.items()}
    for kind, modules in ran.items():
        for module, layer in zip(modules, layers[kind], strict=True):
            layer.set_weights(_weights(kind, module, layer))
    first = outputs[0] if isinstance(outputs, list | tuple) else outputs
    return np.moveaxis(first.numpy(), 1, -1)


KINDS = {
    **dict.fromkeys(("Conv2D", "Conv3D"), "convolution"),
    **dict.fromkeys(("Conv2DTranspose", "Conv3DTranspose"), "transposed"),
    **dict.fromkeys(("DepthwiseConv2D", "DepthwiseConv3D"), "depthwise"),
    **dict.fromkeys(("BatchNorm", "BatchNormalization"), "batch"),
    "GroupNorm": "group",
    "PReLU": "prelu",
    "LayerNormalization": "layer",
    "Dense": "dense",
    "Attention": "attention",
    "Positions": "positions",
}


def _leaves(network):
    inside = {id(child) for m in network.modules() if type(m).__name__ == "SABlock" for child in m.children()}
    own = [m for m in network.modules() if id(m) not in inside and list(m.parameters(recurse=False))]
    return own + [m for m in network.modules() if type(m).__name__ == "SABlock"]


def _unused(network) -> list:
    return [module for name, module in network.named_modules() if re.fullmatch("final_conv_0_[123]", name)]


def _layers(model: keras.Model) -> list[keras.Layer]:
    """Layers with weights in the order of their calls, those of a model inside first."""
    inside = [layer for part in model.layers if isinstance(part, keras.Model) for layer in part.layers]
    own = sorted((layer for layer in model.layers if not isinstance(layer, keras.Model)), key=_number)
    return [layer for layer in (*inside, *own) if layer.weights]


def _number(layer: keras.Layer) -> int:
    found = re.search(r"_(\d+)$", layer.name)
    return int(found.group(1)) if found else 0


def _kind(module, dense: bool) -> str:
    name = type(module).__name__
    if name == "Linear" and not dense:
        return "convolution"  # of pooled features, by one tap
    if name in NAMES:
        return NAMES[name]
    if name.startswith("Conv"):
        if module.groups > 1:
            return "depthwise"
        # A transposed convolution of one tap is a convolution, if need be of an image with zeros in between.
        single = max(module.kernel_size) == 1
        return "transposed" if name.startswith("ConvTranspose") and not single else "convolution"
    return {"BatchNorm": "batch", "InstanceNorm": "group", "GroupNorm": "group", "PReLU": "prelu"}[name.rstrip("123d")]


NAMES = {
    "LayerNorm": "layer",
    "Linear": "dense",
    "SABlock": "attention",
    "PatchEmbeddingBlock": "positions",
}


def _weights(kind: str, module, layer: keras.Layer) -> list[np.ndarray]:
    if kind == "attention":
        out = module.out_proj
        return [module.qkv.weight.detach().numpy().T, out.weight.detach().numpy().T, out.bias.detach().numpy()]
    if kind == "positions":
        return [module.position_embeddings.detach().numpy().reshape(layer.weights[0].shape)]
    kernel = module.weight.detach().numpy()
    bias = [] if getattr(module, "bias", None) is None else [module.bias.detach().numpy()]
    space = tuple(range(2, kernel.ndim))
    across = type(module).__name__.startswith("ConvTranspose")
    if kind == "prelu":
        return [kernel.reshape(layer.weights[0].shape)]
    if kind == "batch":
        return [kernel, *bias, module.running_mean.numpy(), module.running_var.numpy()]
    if kind in ("group", "layer"):
        return [kernel, *bias]
    if kind == "dense":
        return [kernel.T, *bias]
    if kind == "depthwise":
        # Ours convolves an image with zeros in between, for which the kernel is mirrored.
        kernel = np.flip(kernel, space) if across else kernel
        return [kernel.transpose(*space, 0, 1), *bias]
    if kind == "transposed" or not across:
        return [kernel.transpose(*space, 1, 0).reshape(layer.weights[0].shape), *bias]
    return [kernel.transpose(*space, 0, 1), *bias]


def test_at_least_eight_architectures_are_compared_in_2d_and_3d():
    assert len({recipe for recipe, *_ in CASES.values()}) >= 8
    assert {task.rank for _, _, task, *_ in CASES.values()} == {2, 3}
