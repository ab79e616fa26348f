"""How a choice of a data set says that its images are read and prepared."""

from typing import Any

from ...core.trial import Choice
from ...datasets.prepare import Preprocess
from ...datasets.readers import Reading


def preprocess_of(choice: Choice) -> Preprocess:
    """How images of a choice are prepared."""
    return Preprocess(**_tuples(choice.options.get("preprocess", {})))


def reading_of(choice: Choice) -> Reading:
    """How the images of a choice are read."""
    own = choice.options if choice.name == "folder" else {}
    names = {"channels": "channels", "exif": "exif", "array": "image_array", "pages": "pages"}
    return Reading(**{field: own[option] for field, option in names.items() if option in own})


def _tuples(options: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
