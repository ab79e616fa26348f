import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, pages_in, read_image

STACK = np.random.default_rng(0).integers(1, 256, (4, 8, 9), np.uint8)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "a stack cut short, of which tifffile reads the pages that are left, or one",
    "refused",
)
@pytest.mark.parametrize("pages", ["volume", "cases"])
def test_a_stack_cut_anywhere_is_an_error_that_names_it_or_whole(tmp_path, pages):
    tifffile.imwrite(tmp_path / "whole.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    content, file = (tmp_path / "whole.tif").read_bytes(), tmp_path / "cut.tif"
    whole = 0
    for length in range(0, len(content), 7):
        file.write_bytes(content[:length])
        try:
            pages_in(file, Reading(pages=pages))
            found = read_image(file, Reading(pages=pages))
        except DataError as error:
            assert str(file) in str(error)
        else:
            np.testing.assert_array_equal(found.array[..., 0], STACK)
            whole += 1
    assert 0 < whole < len(content) / 7 / 2  # ImageJ's pages follow the first one, whose header is enough
