"""The networks of `training_step.py` written plainly in PyTorch, and the step that trains them."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class UNet(nn.Module):
    """Encoder, decoder and head as `unet`, `unet_light` and `unet_3d` have them."""

    def __init__(self, rank, channels, widths, block, decoder_block, up):
        super().__init__()
        self.rank = rank
        pairs = list(pairwise(widths))
        levels = [(channels, widths[0]), *pairs]
        self.encoder = nn.ModuleList(block(rank, source, filters) for source, filters in levels)
        self.raise_ = nn.ModuleList(up(rank, coarse, fine) for fine, coarse in reversed(pairs))
        joined = [fine + raised.out_channels for (fine, _), raised in zip(reversed(pairs), self.raise_, strict=True)]
        self.decoder = nn.ModuleList(
            decoder_block(rank, source, fine) for source, (fine, _) in zip(joined, reversed(pairs), strict=True)
        )
        self.head = _kind("Conv", rank)(widths[0], 1, 1)

    def forward(self, x):
        pool = getattr(functional, f"max_pool{self.rank}d")
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(pool(x, 2) if level else x)
            skips.append(x)
        for raise_, block, skip in zip(self.raise_, self.decoder, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([skip, raise_(x)], 1))
        return self.head(x)


def plain(width, depth):
    """`unet`: 2D, no normalisation."""
    return UNet(2, 3, _widths(width, depth), _double, _double, _halving)


def batch(width, depth):
    """`unet` with batch normalisation."""
    return UNet(2, 3, _widths(width, depth), _double_normed, _double_normed, _halving)


def separable(width, depth):
    """`unet_light`: depthwise-separable."""
    return UNet(2, 3, _widths(width, depth), _separable, _separable, _halving)


def volume(width, depth):
    """`unet_3d`: batch normalisation, widening before each pooling."""
    return UNet(3, 1, _widths(width, depth), _widening, _double_biased, _keeping)


def monai(width, depth):
    """MONAI's BasicUNet of these widths, with its instance normalisation and leaky ReLU."""
    from monai.networks.nets import BasicUNet

    return BasicUNet(spatial_dims=2, in_channels=3, out_channels=1, features=(*_widths(width, depth), width))


class Step:
    """One training step of a network: BCE and Dice in equal parts, Adam. `step()` returns the loss."""

    def __init__(self, network, images: np.ndarray, truths: np.ndarray, *, bfloat16: bool, channels_last: bool):
        torch.manual_seed(0)
        layout = {4: torch.channels_last, 5: torch.channels_last_3d}[images.ndim]
        layout = layout if channels_last else torch.contiguous_format
        self.network = network.to(memory_format=layout)
        self.images, self.truths, self.layout, self.bfloat16 = images, truths, layout, bfloat16
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def count(self) -> int:
        """Trainable parameters."""
        return sum(weight.numel() for weight in self.network.parameters())

    def __call__(self) -> float:
        """Train one step from NumPy arrays."""
        images = torch.from_numpy(self.images).movedim(-1, 1).contiguous(memory_format=self.layout)
        truths = torch.from_numpy(self.truths).movedim(-1, 1).float()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(images)
        loss = _bce_dice(logits.float(), truths)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class DeviceStep:
    """The same in bfloat16 with the batch on a device already; `predict` goes from host memory to host memory."""

    def __init__(self, network, images: np.ndarray, truths: np.ndarray, *, device: str, layout: torch.memory_format):
        self.network, self.device, self.layout = network, device, layout
        self.images, self.truths = self._moved(images), self._moved(truths).float()
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def count(self) -> int:
        """Trainable parameters."""
        return sum(weight.numel() for weight in self.network.parameters())

    def __call__(self) -> float:
        """Train one step."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16):
            logits = self.network(self.images)
        loss = _bce_dice(logits.float(), self.truths)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Logits of images (n, *space, c), float32, in the memory order of the device."""
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16):
            return self.network(self._moved(images)).float().cpu().numpy()

    def _moved(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device).movedim(-1, 1).contiguous(memory_format=self.layout)


def _widths(width, depth):
    return tuple(width * 2**level for level in range(depth + 1))


def _kind(name, rank):
    return getattr(nn, f"{name}{rank}d")


def _unit(rank, source, filters, kernel=3, *, bias=True, norm=False):
    layers = [_kind("Conv", rank)(source, filters, kernel, padding=kernel // 2, bias=bias)]
    layers += [_kind("BatchNorm", rank)(filters)] if norm else []
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


def _double(rank, source, filters):
    return nn.Sequential(_unit(rank, source, filters), _unit(rank, filters, filters))


def _double_normed(rank, source, filters):
    options = {"bias": False, "norm": True}
    return nn.Sequential(_unit(rank, source, filters, **options), _unit(rank, filters, filters, **options))


def _double_biased(rank, source, filters):
    return nn.Sequential(_unit(rank, source, filters, norm=True), _unit(rank, filters, filters, norm=True))


def _widening(rank, source, filters):
    return nn.Sequential(_unit(rank, source, filters // 2, norm=True), _unit(rank, filters // 2, filters, norm=True))


def _separable(rank, source, filters):
    layers = []
    for channels in (source, filters):
        layers.append(_kind("Conv", rank)(channels, channels, 3, padding=1, groups=channels, bias=False))
        layers.append(_unit(rank, channels, filters, 1))
    return nn.Sequential(*layers)


def _halving(rank, coarse, fine):
    return _kind("ConvTranspose", rank)(coarse, fine, 2, 2)


def _keeping(rank, coarse, fine):
    return _kind("ConvTranspose", rank)(coarse, coarse, 2, 2, bias=False)


def _bce_dice(logits, truths):
    space = tuple(range(1, logits.ndim))
    entropy = functional.binary_cross_entropy_with_logits(logits, truths, reduction="none").mean(space)
    probabilities = torch.sigmoid(logits)
    both, size = (probabilities * truths).sum(space), (probabilities + truths).sum(space)
    return (0.5 * entropy + 0.5 * (1 - (2 * both + 1) / (size + 1))).mean()
