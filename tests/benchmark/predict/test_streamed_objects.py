"""Objects that are found region by region are those of the whole volume."""

import numpy as np
import pytest

from unetbench.benchmark.predict.object_sums import ObjectSums
from unetbench.benchmark.predict.streamed_objects import StreamedObjects
from unetbench.datasets import regions
from unetbench.metrics.objects import components


@pytest.mark.parametrize("space", [(60, 80), (20, 30, 25)])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.4])
@pytest.mark.parametrize("region_bytes", [100, 999])
def test_pieces_are_joined_across_faces_edges_and_corners_of_regions(space, share, region_bytes, monkeypatch):
    monkeypatch.setattr(regions, "REGION_BYTES", region_bytes)
    rng = np.random.default_rng(1)
    mask, image = rng.random(space) < share, rng.integers(0, 99, (*space, 2)).astype(np.uint8)
    found = StreamedObjects(lambda place: mask[place], image, np.zeros(space, np.uint32))
    expected = components(mask)
    assert found.count == expected.max() > 0
    numbers = np.zeros(space, np.uint32)
    found.write(lambda place, values: np.copyto(numbers[place], values), after=7)
    pairs = np.unique(np.stack([numbers[mask], expected[mask]]), axis=1)
    assert pairs.shape[1] == found.count  # one number here for each there
    assert (numbers[mask].min(), numbers.max()) == (8, 7 + found.count)
    assert not numbers[~mask].any()
    whole = list(ObjectSums.of(expected, image, found.count).rows())
    rows = list(found.rows())
    for own, theirs in pairs.T:
        assert rows[own - 8].keys() == whole[theirs - 1].keys()
        for key, value in rows[own - 8].items():
            assert value == pytest.approx(whole[theirs - 1][key])


def test_nothing_gives_no_objects():
    image = np.zeros((5, 6, 1), np.uint8)
    found = StreamedObjects(lambda place: image[place][..., 0] > 0, image, np.zeros((5, 6), np.uint32))
    assert (found.count, list(found.rows())) == (0, [])
