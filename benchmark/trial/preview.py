"""Small pictures of a test case for the report: image, truth and prediction of one plane."""

import numpy as np


def preview(
    index: int, name: str, image: np.ndarray, truth: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Return `image_k` (h, w) or (h, w, 3) uint8, `truth_k` and `prediction_k` (h, w) uint8, and `case_k`.

    Of a volume (z, y, x) the plane z with the most truth is shown. The case's 1st to 99th percentile of intensity
    becomes black to white. Of overlapping classes (multilabel) the last one is drawn, and nothing
    where the truth is ignored.
    """
    if truth.ndim == 4:
        plane = int(np.count_nonzero(truth, axis=(1, 2, 3)).argmax())
        image, truth, prediction = image[plane], truth[plane], prediction[plane]
    channels = image if image.shape[-1] == 3 else image[..., 0]
    low, high = np.percentile(channels, (1, 99))
    scaled = np.clip((channels.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1)
    return {
        f"image_{index}": np.round(255 * scaled).astype(np.uint8),
        f"truth_{index}": _flat(truth),
        f"prediction_{index}": _flat(prediction),
        f"case_{index}": np.array(name),
    }


def _flat(labels: np.ndarray) -> np.ndarray:
    if labels.shape[-1] == 1:
        return labels[..., 0].astype(np.uint8)
    return ((labels == 1) * np.arange(1, labels.shape[-1] + 1)).max(-1).astype(np.uint8)
