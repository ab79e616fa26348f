import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

VOLUME = np.random.default_rng(0).random((6, 7, 8)).astype(np.float32)
LABELS = (3 * VOLUME).astype(np.uint8)


def _cases(home):
    return DATASETS["msd_hippocampus"](Source(home, home / "cache", download=False)).cases


def test_volumes_and_labels_are_upright(tmp_path, write_volume):
    write_volume(tmp_path / "msd_hippocampus/imagesTr/hippocampus_001.nii.gz", VOLUME, "LPS")
    write_volume(tmp_path / "msd_hippocampus/labelsTr/hippocampus_001.nii.gz", LABELS, "SAL")
    sample = _cases(tmp_path)[0].read()
    np.testing.assert_array_equal(sample.image[..., 0], VOLUME)
    np.testing.assert_array_equal(sample.truth[..., 0], LABELS)
    assert (sample.spacing_mm, sample.spacing_source, sample.orientation) == ((0.5, 1.0, 3.0), "NIfTI header", "LPS")


def test_a_label_at_another_place_is_refused(tmp_path, write_volume):
    write_volume(tmp_path / "msd_hippocampus/imagesTr/hippocampus_001.nii.gz", VOLUME)
    write_volume(tmp_path / "msd_hippocampus/labelsTr/hippocampus_001.nii.gz", LABELS, affine=np.eye(4))
    with pytest.raises(DataError, match="voxels apart"):
        _cases(tmp_path)[0].read()
