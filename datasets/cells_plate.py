"""What the generated cases of one plate share, and the cells that grow in one field of it."""

from dataclasses import dataclass

import numpy as np

from .cells_shapes import Trace, body, places, trace

FOCUS = (0.8, 1.4, 2.4, 4.0)
"""Blur in pixels at each of four distances from the focal plane in which a cell can lie."""


@dataclass(frozen=True, eq=False)
class Plate:
    """A cell line, its staining, and the microscope of the day. Emission 1 is that of a nucleus of mean brightness.

    radius: of the nuclei, pixels. cover: share of the field they fill. clumping: share of cells that grow beside
        another. stretch, waviness: of their shape. chromatin: contrast of their texture.
    spread: of the logarithm of brightness. condensed: share of small bright nuclei without texture. dim: of weakly
        stained ones, whose brightness lies in the range `weak`.
    ghosts, lumps: for each nucleus, others far from the focal plane, and ragged crusts of about its size.
    focus: probability of each distance of FOCUS. haze: light spread over the surroundings. floor: of the medium.
    lamp: row and column of its brightest point in field widths, and how far the light falls off.
    dirt: bright specks a million pixels.
    photons: at emission 1. read_noise: electrons. gain: grey levels an electron. bits: of the camera.
    """

    radius: float
    cover: float
    clumping: float
    stretch: float
    waviness: float
    chromatin: float
    spread: float
    dim: float
    weak: tuple[float, float]
    condensed: float
    ghosts: float
    lumps: float
    focus: np.ndarray
    haze: float
    floor: float
    lamp: np.ndarray
    dirt: float
    photons: float
    read_noise: float
    gain: float
    bits: int


@dataclass(frozen=True, eq=False)
class Cell:
    """A nucleus and the cell around it. stain: brightness. focus: index of FOCUS. condensed: without texture."""

    nucleus: Trace
    whole: Trace
    stain: float
    focus: int
    condensed: bool


def plate(rng: np.random.Generator) -> Plate:
    """Draw a plate."""
    bits, photons = int(rng.choice((12, 16))), float(np.exp(rng.uniform(np.log(50), np.log(500))))
    return Plate(
        radius=rng.uniform(8, 15),
        cover=rng.uniform(0.08, 0.3),
        clumping=rng.uniform(0.2, 0.8),
        stretch=rng.uniform(0.1, 0.4),
        waviness=rng.uniform(0.02, 0.08),
        chromatin=rng.uniform(0.1, 0.28),
        spread=rng.uniform(0.15, 0.4),
        dim=rng.uniform(0.05, 0.25),
        weak=(0.25, 0.5),
        condensed=rng.uniform(0.0, 0.08),
        ghosts=rng.uniform(0.05, 0.4),
        lumps=rng.uniform(0.02, 0.2),
        focus=rng.dirichlet((4, 3, 1.5, 0.5)),
        haze=rng.uniform(0.05, 0.25),
        floor=rng.uniform(0.05, 0.3),
        lamp=np.append(rng.uniform(0, 1, 2), rng.uniform(0.1, 0.7)),
        dirt=np.exp(rng.uniform(np.log(20), np.log(300))),
        photons=photons,
        read_noise=rng.uniform(1.5, 5),
        gain=(1000 if bits == 12 else 16000) / photons,
        bits=bits,
    )


def culture(
    rng: np.random.Generator, of: Plate, shape: tuple[int, ...], edges: np.ndarray, *, spacious: float = 1.0
) -> list[Cell]:
    """Grow the cells of a field of the given shape, with pixel edges (rank,) in those of the finest axis.

    spacious: radius of a cell over that of its nucleus; with 1 a cell is its nucleus, and nuclei touch.
    """
    extent = np.array(shape) * edges
    ball = np.pi * of.radius**2 if len(shape) == 2 else 4 / 3 * np.pi * of.radius**3
    number = max(1, rng.poisson(of.cover * np.prod(extent + of.radius) / ball))
    radii = spacious * of.radius * np.exp(0.18 * rng.standard_normal(number))
    cells = []
    for centre, radius in places(rng, extent, radii, clumping=of.clumping, overlap=0.12):
        condensed, dim = (rng.random(2) < (of.condensed, of.dim)).tolist()
        focus = int(rng.choice(len(FOCUS), p=of.focus))
        stain = np.exp(of.spread * rng.standard_normal()) * (2.0 if condensed else 1.0)
        # Weak and far out of focus together, nobody would have drawn it.
        stain *= rng.uniform(*of.weak) if dim and focus < 2 else 1.0
        aside = rng.uniform(-0.3, 0.3, len(centre)) * radius * (1 - 1 / spacious)
        inner = radius / spacious * (0.6 if condensed else 1.0)
        nucleus = whole = trace(body(rng, centre + aside, inner, of.stretch, of.waviness), shape, edges)
        if spacious > 1:
            whole = trace(body(rng, centre, radius, 1.4 * of.stretch, 0.1), shape, edges)
        cells.append(Cell(nucleus, whole, float(stain), focus, condensed))
    return cells
