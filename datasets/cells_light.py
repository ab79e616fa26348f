"""From generated cells to grey levels: emission, lens, lamp, dirt and camera. Images are float64 until the camera."""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from .cells_plate import FOCUS, Cell, Plate
from .cells_shapes import Trace, body, trace


def nuclear_stain(rng: np.random.Generator, of: Plate, cells: Sequence[Cell], canvas: np.ndarray) -> None:
    """Add stained nuclei to a canvas (focus, *space): clumped chromatin, dark nucleoli, thinner towards the rim."""
    shape = canvas.shape[1:]
    clumps = {0.11 * of.radius: 1.0, 0.35 * of.radius: 0.8}
    chromatin = np.maximum(1 + of.chromatin * _grain(rng, shape, clumps), 0.2)
    chromatin *= 1 - 0.4 * np.clip(_grain(rng, shape, {0.18 * of.radius: 1.0}) - 1.3, 0, 1)
    for cell in cells:
        light = cell.stain * (0.55 + 0.45 * _dome(cell.nucleus.depth))
        _paint(canvas[cell.focus], cell.nucleus, light if cell.condensed else light * chromatin[cell.nucleus.window])


def cytoplasm_stain(rng: np.random.Generator, cells: Sequence[Cell], canvas: np.ndarray) -> None:
    """Add stained cytoplasm to a canvas (focus, rows, columns): granular, with vacuoles, thin at the rim."""
    shape = canvas.shape[1:]
    texture = np.maximum(1 + 0.18 * _grain(rng, shape, {1.2: 1.0, 3.0: 0.8, 8.0: 0.6}), 0.2)
    texture *= 1 - 0.6 * np.clip(_grain(rng, shape, {1.8: 1.0}) - 1.7, 0, 1)
    for cell in cells:
        light = 0.55 * cell.stain**0.5 * (0.3 + 0.7 * _dome(cell.whole.depth))
        _paint(canvas[cell.focus], cell.whole, light * texture[cell.whole.window])


def seen_wide_field(rng: np.random.Generator, of: Plate, canvas: np.ndarray) -> np.ndarray:
    """Light on the camera from a canvas (focus, rows, columns): each layer blurred as it is far; haze, ghosts, dirt."""
    shape = canvas.shape[1:]
    light = np.sum([_blurred(layer, blur) for layer, blur in zip(canvas, FOCUS, strict=True)], axis=0)
    ghosts = np.zeros(shape)
    for _ in range(rng.poisson(of.ghosts * of.cover * light.size / (np.pi * of.radius**2))):
        ghost = body(rng, rng.uniform(0, shape), of.radius, of.stretch, of.waviness)
        spot = trace(ghost, shape, np.ones(2))
        _paint(ghosts, spot, rng.uniform(0.3, 1.2) * _dome(spot.depth))
    medium = of.floor * (1 + 0.15 * _grain(rng, shape, {20.0: 1.0}))
    light += of.haze * _blurred(light, 14) + _blurred(ghosts, 7) + _dirt(rng, of, shape) + medium
    return light * _lamp(of, shape)


def seen_in_depth(rng: np.random.Generator, of: Plate, light: np.ndarray, slice_px: float) -> np.ndarray:
    """Light on the camera from a volume (slices, rows, columns) of thick tissue, slices so many pixels apart.

    The lens blurs far more along the axis than across; with depth, scatter widens the blur and light is lost.
    """
    depth = np.linspace(0, 1, len(light))[:, None, None]
    sharp, wide = (np.stack([_blurred(plane, blur) for plane in light]) for blur in (0.9, 2.5))
    light = gaussian_filter1d(sharp * (1 - 0.6 * depth) + wide * 0.6 * depth, 4 / slice_px, axis=0, mode="nearest")
    haze = gaussian_filter1d(np.stack([_blurred(plane, 10) for plane in light]), 12 / slice_px, axis=0, mode="nearest")
    specks = np.zeros(light.shape)
    for plane in specks:
        _specks(rng, of.dirt / 4, plane)
        plane[...] = _blurred(plane, 0.9)
    return (light + 2 * of.haze * haze + specks + of.floor) * np.exp(-0.6 * depth) * _lamp(of, light.shape[1:])


def seen_bright_field(rng: np.random.Generator, of: Plate, cells: Sequence[Cell], shape: tuple[int, ...]) -> np.ndarray:
    """Light on the camera through unstained cells, 1 where there is none: slightly out of focus, lit from one side."""
    body_of, nuclei = np.zeros(shape), np.zeros(shape)
    for cell in cells:
        _paint(body_of, cell.whole, 0.5 * _dome(cell.whole.depth))
        _paint(nuclei, cell.nucleus, 0.35 * _dome(cell.nucleus.depth))
    granules = (
        0.1 * _grain(rng, shape, {1.0: 1.0, 2.0: 0.7}) * np.clip(2.5 * body_of - 3 * nuclei, 0.1 * (body_of > 0), 1)
    )
    nucleoli = 0.3 * nuclei * np.clip(_grain(rng, shape, {0.18 * of.radius: 1.0}) - 1.0, 0, 2)
    thick = body_of + nuclei + granules + nucleoli
    near, far = _blurred(thick, 1.1), _blurred(thick, 3.5)
    across, down = np.gradient(near, axis=1), np.gradient(near, axis=0)
    dust = 1 - 0.3 * np.clip(_grain(rng, shape, {4.0: 1.0}) - 2.8, 0, 1)
    return (1 + 0.6 * (near - far) - 0.35 * (across + 0.6 * down)) * dust * _lamp(of, shape)


def seen_phase_contrast(
    rng: np.random.Generator, of: Plate, cells: Sequence[Cell], shape: tuple[int, ...]
) -> np.ndarray:
    """Light on the camera through unstained cells in positive phase contrast, 1 where there is none.

    Cells are darker as they are thicker, and the light that the ring misses makes a bright halo around them and a shade
    off inside: thickness less its wide blur.
    """
    thick, nuclei = np.zeros(shape), np.zeros(shape)
    for cell in cells:
        _paint(thick, cell.whole, 0.25 + 0.35 * _dome(cell.whole.depth))
        _paint(nuclei, cell.nucleus, 0.3 * _dome(cell.nucleus.depth))
    granules = 0.12 * _grain(rng, shape, {1.0: 1.0, 2.0: 0.7}) * np.clip(2 * thick - 2 * nuclei, 0, 1)
    nucleoli = 0.4 * nuclei * np.clip(_grain(rng, shape, {0.18 * of.radius: 1.0}) - 1.0, 0, 2)
    near = _blurred(thick + 0.6 * nuclei + granules + nucleoli, 0.9)
    dirt = 0.25 * np.clip(_grain(rng, shape, {4.0: 1.0}) - 2.8, 0, 1)
    medium = 0.02 * _grain(rng, shape, {12.0: 1.0})
    return (1 - 0.55 * (near - 0.75 * _blurred(near, 0.7 * of.radius)) - dirt + medium) * _lamp(of, shape)


def camera(rng: np.random.Generator, of: Plate, light: np.ndarray, *, exposure: float = 1.0) -> np.ndarray:
    """Count light with shot and read noise, in grey levels of the plate's camera; uint16.

    exposure: times as many photons, at as much less gain. The mean is rounded to 1/64 photon before anything is drawn.
    """
    photons = np.round(np.maximum(light, 0) * of.photons * exposure * 64) / 64
    electrons = rng.poisson(photons) + of.read_noise * rng.standard_normal(light.shape)
    return np.clip(np.round(electrons * (of.gain / exposure) + 100), 0, 2**of.bits - 1).astype(np.uint16)


def _paint(canvas: np.ndarray, one: Trace, light: np.ndarray) -> None:
    """Add a body to a canvas (*space), its light given in its window; pixels on its surface get the share inside."""
    canvas[one.window] += light * np.clip((1 - one.depth) * one.radius + 0.5, 0, 1)


def _dome(depth: np.ndarray) -> np.ndarray:
    """Thickness of a round body over its depth: 1 in the middle, 0 at the rim."""
    return np.sqrt(np.maximum(1 - depth**2, 0))


def _dirt(rng: np.random.Generator, of: Plate, shape: tuple[int, ...]) -> np.ndarray:
    """Emission of what is no cell: specks, lumps as large and bright as nuclei, in every fifth field a fibre."""
    canvas = np.zeros(shape)
    for _ in range(rng.poisson(of.lumps * of.cover * canvas.size / (np.pi * of.radius**2))):
        radius = of.radius * rng.uniform(0.4, 1.1)
        lump = trace(body(rng, rng.uniform(0, shape), radius, 0.3, 0.35), shape, np.ones(2))
        _paint(canvas, lump, rng.uniform(0.3, 1.4) * np.ones(lump.depth.shape))
    canvas *= np.maximum(1 + 0.8 * of.chromatin * _grain(rng, shape, {1.0: 1.0, 0.3 * of.radius: 1.0}), 0.2)
    _specks(rng, of.dirt, canvas)
    if rng.random() < 0.2:
        turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.12, 40))
        points = rng.uniform(0, shape, 2) + np.cumsum(np.stack([np.sin(turns), np.cos(turns)], 1) * 2.5, 0)
        line = np.array([_sixteenths(point) for point in points], np.int32)
        cv2.polylines(canvas, [line], False, rng.uniform(0.2, 0.7), 1, cv2.LINE_8, 4)
    return _blurred(canvas, 0.9)


def _specks(rng: np.random.Generator, density: float, canvas: np.ndarray) -> None:
    """Draw bright ellipses a few pixels wide; density: in a million pixels."""
    for _ in range(rng.poisson(density * canvas.size / 1e6)):
        place, axes, turn = rng.uniform(0, canvas.shape, 2), rng.uniform(0.3, 2.5, 2), rng.uniform(0, 180)
        light = float(np.exp(rng.uniform(np.log(0.3), np.log(3.0))))
        cv2.ellipse(canvas, _sixteenths(place), _sixteenths(axes), turn, 0, 360, light, -1, cv2.LINE_8, 4)


def _lamp(of: Plate, shape: tuple[int, ...]) -> np.ndarray:
    """Uneven illumination (rows, columns): 1 at the brightest point, falling off as a wide bell."""
    rows, columns = (np.linspace(0, 1, n) for n in shape)
    row, column, loss = of.lamp
    distance = (rows[:, None] - row) ** 2 + (columns - column) ** 2
    return 1 - loss * (1 - np.exp(-distance / 0.7))


def _grain(rng: np.random.Generator, shape: tuple[int, ...], scales: dict[float, float]) -> np.ndarray:
    """Smooth noise of mean 0 and standard deviation 1 in every plane: blurred white noises, {blur: weight}."""
    if len(shape) == 3:
        planes = np.stack([_grain(rng, shape[1:], scales) for _ in range(shape[0])])
        return gaussian_filter1d(planes, 0.7, axis=0) * np.sqrt(2 * 0.7 * np.sqrt(np.pi))
    total = np.zeros(shape)
    for blur, weight in scales.items():
        coarse = max(1, int(blur / 2))
        white = rng.standard_normal([n // coarse + 2 for n in shape])
        layer = _blurred(white, blur / coarse) * (2 * np.sqrt(np.pi) * blur / coarse)
        total += weight * (layer if coarse == 1 else _enlarged(layer, coarse))[: shape[0], : shape[1]]
    return total / np.sqrt(sum(weight**2 for weight in scales.values()))


def _blurred(image: np.ndarray, blur: float) -> np.ndarray:
    """Gaussian blur of a plane; a wide one on a coarser grid, where it costs a tenth and looks the same."""
    if blur < 6:
        return cv2.GaussianBlur(image, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101)
    coarse = int(blur / 3)
    small = cv2.resize(image, None, fx=1 / coarse, fy=1 / coarse, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), blur / coarse, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _enlarged(image: np.ndarray, times: int) -> np.ndarray:
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)


def _sixteenths(point: np.ndarray) -> tuple[int, int]:
    """(row, column) as x, y for the drawing functions of cv2 with shift=4."""
    return round(point[1] * 16), round(point[0] * 16)
