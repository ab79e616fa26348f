"""PNG, JPEG and BMP, by OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from ...core.errors import DataError
from .picture import Picture, Reading
from .registry import reads


@reads(".png", ".jpg", ".jpeg", ".bmp")
def raster(file: Path, reading: Reading) -> Picture:
    """(y, x, c), colours in the order red, green, blue and without alpha."""
    content = file.read_bytes()
    array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    # a JPEG cut short decodes to grey blocks: its last scan (FFDA) must be followed by an end of image (FFD9)
    cut = content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    if array is None or cut:
        raise DataError(f"{file}: is {'cut short' if cut else 'empty, damaged or cut short'}; fetch it again")
    return Picture(array[..., None] if array.ndim == 2 else np.ascontiguousarray(array[..., 2::-1]))
