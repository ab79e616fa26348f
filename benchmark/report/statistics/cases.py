"""Sums and means of case scores where some are undefined."""

import numpy as np


def mean_of(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is not NaN along an axis; NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The quotients; NaN where what is below is 0."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    return np.divide(above, below, out=np.full(shape, np.nan), where=np.broadcast_to(below, shape) > 0)


def by_group(values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the defined values of each row in each group, (rows, groups)."""
    names, codes = np.unique(groups, return_inverse=True)
    member = (codes[:, None] == np.arange(len(names))).astype(float)
    defined = ~np.isnan(values)
    return np.where(defined, values, 0.0) @ member, defined @ member
