"""Segment images with the network in this folder: NumPy and its runtime are all that is needed.

    python segment.py IMAGE.npy LABELS.npy [PROBABILITIES.npy]     image (*space, channels), labels (*space, t) uint8
    python segment.py --self-test                                  is this folder whole, and does it run right here?

In Python: `model = Model()`, then `labels = model.segment(image)`. What is done to an image stands in model.json.
"""

import hashlib
import itertools
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class Model:
    """The network of a folder, loaded. threads: 0 for one a core."""

    def __init__(self, folder=HERE, threads=0, run=None):
        """run: another forward pass, images (n, *window, c) to logits (n, *window, k), in place of the folder's own."""
        self.folder = Path(folder)
        self.about = json.loads((self.folder / "model.json").read_text("utf-8"))
        self.session = {}
        if run is None:
            load = _module(self.folder / "session.py").load
            run, self.session = load(self.folder / self.about["file"], threads=threads, **self.about["options"])
        self.run = run

    def segment(self, image):
        """Labels (*space, t) uint8 of an image (*space, channels): the class, or 0 and 1 in a plane a class."""
        return self.labels(self.probabilities(image))

    def labels(self, probabilities):
        """Labels (*space, t) uint8 of probabilities (*space, k)."""
        if self.about["task"]["kind"] == "exclusive":
            return probabilities.argmax(-1)[..., None].astype(np.uint8)
        return (probabilities >= self.about["threshold"]).astype(np.uint8)

    def probabilities(self, image):
        """Probabilities (*space, k) float32 of an image (*space, channels), at its own size."""
        image = image.astype(np.uint8) if image.dtype.kind == "b" else image
        check(image, self.about)
        prepared, content = prepare(image, self.about["preprocess"])
        found = self._windows(prepared)[tuple(slice(edge) for edge in content)]
        return resized(found, image.shape[:-1])

    def _windows(self, image):
        """Overlapping windows, averaged with Gaussian weights."""
        window, space = self.about["window"], image.shape[:-1]
        image = np.pad(
            image, [*((0, max(0, w - n)) for n, w in zip(space, window, strict=True)), (0, 0)], mode="symmetric"
        )
        weights = gaussian(window)[..., None]
        total = np.zeros((*image.shape[:-1], len(self.about["task"]["classes"])), np.float32)
        norm = np.zeros((*image.shape[:-1], 1), np.float32)
        for corner in itertools.product(
            *(starts(n, w, self.about["overlap"]) for n, w in zip(image.shape[:-1], window, strict=True))
        ):
            place = tuple(slice(start, start + edge) for start, edge in zip(corner, window, strict=True))
            total[place] += self._activated(np.ascontiguousarray(image[place][None]))[0] * weights
            norm[place] += weights
        return (total / norm)[tuple(slice(edge) for edge in space)]

    def _activated(self, images):
        activation = softmax if self.about["task"]["kind"] == "exclusive" else sigmoid
        axes = range(1, images.ndim - 1)
        flips = [()]
        if self.about["mirror"]:
            flips = [flip for count in range(len(axes) + 1) for flip in itertools.combinations(axes, count)]
        found = np.zeros((), np.float32)
        for flip in flips:
            logits = self.run(np.ascontiguousarray(np.flip(images, flip)))
            found = found + np.flip(activation(logits), flip)
        return (found / len(flips)).astype(np.float32)


def check(image, about):
    """Raise ValueError, one line, for an image that the network was not trained for."""
    source = about["source"]
    if image.dtype.kind not in "uif":
        raise ValueError(f"the image holds {image.dtype}; integers or floats are possible")
    if image.ndim != source["rank"] + 1:
        raise ValueError(f"the image has shape {image.shape}; {source['rank']} axes and one of channels are possible")
    possible = {"keep": (source["channels"],), "grey": (1, 3), "rgb": (1, 3)}[about["preprocess"]["colour"]]
    if 0 in image.shape:
        raise ValueError(f"the image has shape {image.shape}, so it is empty")
    if image.shape[-1] not in possible:
        wanted = " or ".join(map(str, possible))
        raise ValueError(f"the image has {image.shape[-1]} channels; this network takes {wanted}")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise ValueError("the image holds NaN or infinite values")


def prepare(image, how):
    """What the network sees, float32 (*space, c), and its space without padding."""
    if how["colour"] == "rgb" and image.shape[-1] == 1:
        image = np.repeat(image, 3, -1)
    elif how["colour"] == "grey" and image.shape[-1] == 3:
        grey = image @ np.array([0.299, 0.587, 0.114])
        image = (np.rint(grey) if image.dtype.kind in "ui" else grey).astype(image.dtype)[..., None]
    if how["clahe"]:
        image = equalised(image, how["clahe"])
    image = scaled(image, how["normalise"])
    if how["resize"]:
        image = resized(image, how["resize"])
    content = image.shape[:-1]
    if how["pad"]:
        image = np.pad(image, [(0, -edge % how["pad"]) for edge in content] + [(0, 0)], mode="reflect")
    return image, content


def scaled(image, rule):
    """(x - offset) factor for each channel as float32; 8-bit colours share one range."""
    if rule == "none":
        return image.astype(np.float32)
    colours = image.dtype == np.uint8 and image.shape[-1] == 3
    pixels = image.reshape(-1, 1) if colours else image.reshape(-1, image.shape[-1])
    if rule == "percentile":
        low, high = np.percentile(pixels[:: -(-len(pixels) // 250_000)], (1.0, 99.8), axis=0)
        flat = high <= low
        offset = np.where(flat, pixels.min(0), low)
        scale = np.where(flat, pixels.max(0), high) - offset
    elif rule == "minmax":
        offset = pixels.min(0).astype(float)
        scale = pixels.max(0) - offset
    else:
        offset, scale = pixels.mean(0, dtype=np.float64), pixels.std(0, dtype=np.float64)
    factor = np.divide(1.0, scale, out=np.zeros_like(scale, float), where=scale > 1e-9 * np.abs(offset))
    made = image.astype(np.result_type(image, np.float32))
    made -= offset.astype(made.dtype)
    made *= factor.astype(made.dtype)
    return made.astype(np.float32, copy=False)


def resized(array, space):
    """(*space, c) to another size, axis by axis: area average when shrinking, linear when growing."""
    array = array.astype(np.float32, copy=False)
    for axis, new in enumerate(space):
        old = array.shape[axis]
        if new == old:
            continue
        ratio = old / new
        if new < old:
            inside = np.clip((np.arange(new + 1) * ratio)[:, None] - np.arange(old), 0, 1)
            weights = np.diff(inside, axis=0) / ratio
        else:
            places = np.clip((np.arange(new) + 0.5) * ratio - 0.5, 0, old - 1)
            weights = np.clip(1 - np.abs(places[:, None] - np.arange(old)), 0, 1)
        array = np.moveaxis(np.tensordot(weights.astype(np.float32), array, (1, axis)), 0, axis)
    return array


def equalised(image, clip_limit):
    """Contrast-limited adaptive histogram equalisation, as 8 bits, in OpenCV; a constant plane stays as it is."""
    import cv2

    clahe = cv2.createCLAHE(clip_limit, (8, 8))
    if image.dtype != np.uint8:
        axes = tuple(range(image.ndim - 1))
        low, high = np.percentile(image, (0.1, 99.9), axis=axes)
        flat = high <= low
        low, high = np.where(flat, image.min(axes), low), np.where(flat, image.max(axes), high)
        image = np.clip(np.rint((image - low) * (255 / np.where(high > low, high - low, 1))), 0, 255).astype(np.uint8)
    slices = image.reshape(-1, *image.shape[-3:])
    made = np.empty_like(slices)
    for plane, target in zip(slices, made, strict=True):
        if plane.shape[-1] == 3:
            lab = cv2.cvtColor(plane, cv2.COLOR_RGB2LAB)
            constant = lab[..., 0].min() == lab[..., 0].max()
            lab[..., 0] = lab[..., 0] if constant else clahe.apply(lab[..., 0])
            target[...] = plane if constant else cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
            continue
        for k in range(plane.shape[-1]):
            channel = np.ascontiguousarray(plane[..., k])
            target[..., k] = channel if channel.min() == channel.max() else clahe.apply(channel)
    return made.reshape(image.shape)


def starts(length, edge, overlap):
    """Where the windows begin along an axis."""
    count = int(np.ceil((length - edge) / (edge * (1 - overlap)))) + 1
    return [round(float(start)) for start in np.linspace(0, length - edge, count)]


def gaussian(window):
    """Weights (*window) of standard deviation one eighth of the edge, 0.001 at least."""
    weights = np.ones(())
    for edge in window:
        weights = weights[..., None] * np.exp(-0.5 * ((np.arange(edge) - (edge - 1) / 2) / (edge / 8)) ** 2)
    return np.maximum(weights, 1e-3).astype(np.float32)


def sigmoid(logits):
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def softmax(logits):
    """exp(x) / sum exp(x) over the last axis, without overflow."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def changed_files(folder=HERE):
    """Names of the files that are not as they were exported, by their SHA-256."""
    wanted = json.loads((Path(folder) / "model.json").read_text("utf-8"))["sha256"]
    return [name for name, digest in wanted.items() if _sha256(Path(folder) / name) != digest]


def self_test(folder=HERE):
    """One line of what the self-test found, and whether it passed."""
    changed = changed_files(folder)
    if changed:
        return f"changed since the export: {', '.join(changed)}; export the folder again", False
    model = Model(folder)
    with np.load(Path(folder) / "selftest.npz") as kept:
        image, wanted = kept["image"], kept["probabilities"]
    found = model.probabilities(image)
    bound, share = model.about["self_test"]["tolerance"], model.about["self_test"]["share"]
    beyond, largest = share_beyond(found, wanted, bound), np.abs(found - wanted).max()
    text = f"{beyond:.2%} of the probabilities differ by more than {bound:g} (the largest by {largest:.2g})"
    return f"{text}; up to {share:.2%} may", beyond <= share


def share_beyond(found, wanted, tolerance):
    """The share of probabilities that differ by more than a tolerance; NaN does."""
    return float((~(np.abs(found - wanted) <= tolerance)).mean())


def read(file):
    """The array of a .npy file. Raises ValueError, one line, for a file of another kind."""
    with Path(file).open("rb") as stream:
        if stream.read(6) != b"\x93NUMPY":
            raise ValueError("is no .npy file; save the image with numpy.save, as an array (*space, channels)")
        stream.seek(0)
        return np.load(stream, allow_pickle=False)


def _sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _module(file):
    import importlib.util

    spec = importlib.util.spec_from_file_location("session", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(words):
    """The command line; returns the exit status."""
    if words != ["--self-test"] and len(words) not in (2, 3):
        print(__doc__)
        return 2
    try:
        return _tested() if words == ["--self-test"] else _segmented(*words)
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed; pip install -r {HERE / 'requirements.txt'}", file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else str(error), file=sys.stderr)
    return 1


def _tested():
    text, passed = self_test()
    print(text)
    return 0 if passed else 1


def _segmented(image, *outputs):
    for file in outputs:
        if not file.endswith(".npy"):
            raise SystemExit(f"{file}: what is written is an array; give a name that ends in .npy")
    if len({Path(file).resolve() for file in (image, *outputs)}) <= len(outputs):
        raise SystemExit(f"{image}: image, labels and probabilities need a file each")
    changed = [name for name in changed_files() if name.startswith("network.")]
    if changed:
        raise SystemExit(f"changed since the export: {', '.join(changed)}; export the folder again")
    model = Model()
    try:
        found = model.probabilities(read(image))
    except ValueError as error:
        raise SystemExit(f"{image}: {error}") from None
    for file, array in zip(outputs, (model.labels(found), found), strict=False):
        np.save(file, array)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
