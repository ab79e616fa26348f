"""The tables of a report that are about hardware: what training took, and how near to its peak the machine comes."""

import pandas as pd

from ..frame import Frames
from .grid import Grid
from .roofline import points, roofline_frame, roofline_grid, roofline_remarks
from .summary import ComparisonTable
from .training import training_frame, training_grid

TITLES = {"training": "Training", "roofline": "Roofline"}
"""By the endings of the files' names."""


def hardware_grids(table: ComparisonTable, frames: Frames) -> list[tuple[str, Grid, list[str]]]:
    """Title, grid and notes of each table that there is something for."""
    found = points(table, frames)
    grids = [
        (TITLES["training"], training_grid(table), []),
        (TITLES["roofline"], roofline_grid(table, found), roofline_remarks(found)),
    ]
    return [(title, grid, notes) for title, grid, notes in grids if grid is not None]


def hardware_frames(table: ComparisonTable, frames: Frames) -> dict[str, pd.DataFrame]:
    """The same as raw numbers, by the ending of the file's name."""
    made = {"training": training_frame(table), "roofline": roofline_frame(points(table, frames))}
    there = {title for title, _, _ in hardware_grids(table, frames)}
    return {ending: frame for ending, frame in made.items() if TITLES[ending] in there}
