"""Distance maps of masks, with NumPy: what losses on boundaries need of the truth.

Distances are in pixels: in edges of the smallest voxel side where the task knows its spacing.
"""

import cv2
import numpy as np
from scipy import ndimage

from ..core.task import Task

REACH = 30
"""Pixels beyond which the gap between two objects is not looked for."""

FAR = 1e6
"""Gap where there are not two objects within reach."""


def signed_distance(truth: np.ndarray, task: Task) -> np.ndarray:
    """Signed distance of pixel centres to each class's boundary: truth `(n, *space, t)` to float32 `(n, *space, k)`.

    Negative inside, positive outside. The boundary runs between the pixels, so the nearest ones lie at -1/2 and 1/2.
    Ignored pixels are neither inside nor outside, so that a cut along them is no boundary, and get 0, as does a class
    that is absent or everywhere.
    """
    inside, valid = _masks(truth, task)
    return signed(inside, valid, edges(task))


def signed(inside: np.ndarray, valid: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """`signed_distance` of boolean planes `(n, *space, k)`; valid `(n, *space, k)` or `(n, *space, 1)`."""
    found = np.zeros(inside.shape, np.float32)
    valid = np.broadcast_to(valid, inside.shape)
    for case in range(len(inside)):
        for plane in range(inside.shape[-1]):
            mask, counts = inside[case, ..., plane], valid[case, ..., plane]
            mask, outside = mask & counts, ~mask & counts
            if mask.any() and outside.any():
                away, depth = _distance_to(mask, edges), _distance_to(outside, edges)
                found[case, ..., plane] = np.where(outside, away - 0.5, 0) - np.where(mask, depth - 0.5, 0)
    return found


def gap(truth: np.ndarray, task: Task) -> np.ndarray:
    """Distance to the nearest object plus that to the second nearest: truth `(n, *space, t)` to float32, same shape.

    Objects are the connected components (by faces) of each foreground class; exclusive classes are looked at together,
    labels each on its own. Only background pixels have a gap, and only where both objects are within 30 pixels;
    everything else is 1e6.
    """
    found = np.full(truth.shape, FAR, np.float32)
    for case in range(len(truth)):
        for plane in range(truth.shape[-1]):
            found[case, ..., plane] = _gap(truth[case, ..., plane], task, edges(task))
    return found


def edges(task: Task) -> tuple[float, ...]:
    """Voxel sides in units of the smallest one; 1 each where the task has no spacing."""
    if task.spacing_mm is None:
        return (1.0,) * task.rank
    return tuple(side / min(task.spacing_mm) for side in task.spacing_mm)


def _masks(truth: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray]:
    valid = np.ones(truth.shape, bool) if task.ignore is None else truth != task.ignore
    return truth == (np.arange(task.outputs) if task.kind == "exclusive" else 1), valid


def _distance_to(mask: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Euclidean distance of every pixel to the nearest True one."""
    if mask.ndim == 2 and edges == (1.0, 1.0):
        return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=edges), np.float32)


def _gap(truth: np.ndarray, task: Task, edges: tuple[float, ...]) -> np.ndarray:
    near, second = (np.full(truth.shape, np.inf, np.float32) for _ in range(2))
    background = truth == 0
    classes = [value for value in np.unique(truth) if value not in (0, task.ignore)]
    margin = [int(np.ceil(REACH / side)) for side in edges]
    for value in classes:
        objects, _ = ndimage.label(truth == value)  # pyright: ignore[reportGeneralTypeIssues]
        for number, box in enumerate(ndimage.find_objects(objects), 1):
            wide = tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip(box, margin, strict=True))
            away = _distance_to(objects[wide] == number, edges)
            second[wide] = np.minimum(second[wide], np.maximum(near[wide], away))
            near[wide] = np.minimum(near[wide], away)
    return np.where(background & (second <= REACH), near + second, np.float32(FAR))
