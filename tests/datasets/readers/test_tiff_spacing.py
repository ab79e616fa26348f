import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image

STACK = np.random.default_rng(0).integers(0, 256, (5, 8, 9), np.uint8)


def _imagej(file, array=STACK, axes="ZYX", resolution=(2, 4), **metadata):
    tifffile.imwrite(file, array, imagej=True, resolution=resolution, metadata={"axes": axes, **metadata})
    return read_image(file)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "pixel size in nm, µm (`um`, `\\u00B5m`, `micron`), mm, cm, m, one unit for all or one an axis",
    "spacing in mm; a negative distance of slices without its sign",
)
@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("um", 1e-3), ("\\u00B5m", 1e-3), ("micron", 1e-3), ("microns", 1e-3), ("micrometer", 1e-3), ("nm", 1e-6),
        ("mm", 1), ("cm", 10), ("millimetre", 1), ("m", 1e3),
    ],
)  # fmt: skip
def test_imagej_states_edges_with_a_unit(tmp_path, unit, factor):
    found = _imagej(tmp_path / "a.tif", unit=unit, spacing=2.5)
    assert found.spacing_mm == pytest.approx((2.5 * factor, 0.25 * factor, 0.5 * factor), rel=1e-6)
    assert (found.spacing_source, found.notes) == ("ImageJ", ())
    assert _imagej(tmp_path / "b.tif", STACK[0], "YX", unit=unit).spacing_mm == found.spacing_mm[1:]


@pytest.mark.formats_row("Geometry", "TIFF", "tifffile (ImageJ)", "unit `pixel`, `inch` or none", "no spacing")
@pytest.mark.parametrize("unit", ["pixel", "pixels", "inch", ""])
def test_imagej_without_a_unit_states_no_size(tmp_path, unit):
    found = _imagej(tmp_path / "a.tif", spacing=2.5, **({"unit": unit} if unit else {}))
    assert (found.spacing_mm, found.spacing_source, found.notes) == (None, "", ())


@pytest.mark.formats_row("Geometry", "TIFF", "tifffile (ImageJ)", "another unit", "no spacing, noted")
def test_an_unknown_unit_is_named(tmp_path):
    found = _imagej(tmp_path / "a.tif", unit="furlong", spacing=1)
    assert found.spacing_mm is None
    assert found.notes == ("the unit 'furlong' of its pixels is not known; give `spacing_mm`",)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "pixel size in nm, µm (`um`, `\\u00B5m`, `micron`), mm, cm, m, one unit for all or one an axis",
)
def test_units_of_the_axes_may_differ(tmp_path):
    found = _imagej(tmp_path / "a.tif", unit="um", zunit="nm", yunit="mm", spacing=200)
    assert found.spacing_mm == (2e-4, 0.25, 5e-4)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "pixel size in nm, µm (`um`, `\\u00B5m`, `micron`), mm, cm, m, one unit for all or one an axis",
)
@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "no distance of slices",
    "1 of the unit, as ImageJ reads it, noted",
)
def test_a_distance_of_slices_may_be_negative_or_missing(tmp_path):
    assert _imagej(tmp_path / "a.tif", unit="um", spacing=-2).spacing_mm == (2e-3, 2.5e-4, 5e-4)
    found = _imagej(tmp_path / "b.tif", unit="um")
    assert found.spacing_mm == (1e-3, 2.5e-4, 5e-4)
    assert found.notes == ("ImageJ's distance of slices is not stated, which means 1 um",)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "unit `um` beside a resolution per cm",
    "of the resolution, as ImageJ reads it",
)
def test_a_description_in_micrometres_beside_a_tag_in_centimetres_means_the_tag(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        STACK[0],
        imagej=True,
        resolution=(20000, 20000),
        resolutionunit="CENTIMETER",
        metadata={"axes": "YX", "unit": "um"},
    )
    assert read_image(tmp_path / "a.tif").spacing_mm == (5e-4, 5e-4)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (OME)",
    "`PhysicalSizeX`, `Y`, `Z` with units",
    "spacing in mm; no unit is µm",
)
def test_ome_states_edges_with_a_unit_each_or_micrometres(tmp_path):
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm", "PhysicalSizeZ": 0.002}
    metadata = {"axes": "ZYX", **sizes, "PhysicalSizeZUnit": "mm"}
    tifffile.imwrite(tmp_path / "a.tif", STACK, ome=True, metadata=metadata)
    found = read_image(tmp_path / "a.tif")
    assert (found.spacing_mm, found.spacing_source) == ((2e-3, 2.5e-4, 5e-4), "OME-XML")
    metadata = {"axes": "YX", **sizes, "PhysicalSizeXUnit": "pixel"}
    tifffile.imwrite(tmp_path / "b.tif", STACK[0], ome=True, metadata=metadata)
    assert read_image(tmp_path / "b.tif").spacing_mm is None


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (OME)",
    "a stack without `PhysicalSizeZ`",
    "no spacing, noted; `spacing_mm`",
)
def test_a_stack_whose_slices_have_no_distance_has_no_spacing(tmp_path):
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(tmp_path / "a.tif", STACK, ome=True, metadata=metadata)
    found = read_image(tmp_path / "a.tif")
    assert found.spacing_mm is None
    assert found.notes == ("OME-XML states the size of a pixel and no distance of slices; give `spacing_mm`",)


def test_damaged_ome_xml_is_not_used(tmp_path):
    text = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image></OME>'
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], description=text, metadata=None)
    found = read_image(tmp_path / "a.tif")
    assert (found.spacing_mm, found.notes) == (None, ("the OME-XML is damaged and not used",))


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile",
    "a resolution per cm",
    "spacing, but for 72, 96, 150, 200, 300, 400, 600 and 1200 per inch, which programs write for printers, noted",
)
@pytest.mark.formats_row("Geometry", "TIFF", "tifffile, SimpleITK", "a resolution per inch")
@pytest.mark.parametrize(
    ("rate", "unit", "expected"),
    [
        (20000, "CENTIMETER", 5e-4),
        *((dots / 2.54, "CENTIMETER", None) for dots in (72, 96, 150, 200, 300, 400, 600, 1200)),
        (20000, "INCH", None),
        (20000, "NONE", None),
    ],
)
def test_a_resolution_per_centimetre_is_a_size_unless_it_is_a_printers(tmp_path, rate, unit, expected):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], resolution=(rate, rate), resolutionunit=unit)
    found = read_image(tmp_path / "a.tif")
    assert found.spacing_mm == (expected and (expected, expected))
    assert found.spacing_source == ("TIFF resolution" if expected else "")
    assert bool(found.notes) == (unit == "CENTIMETER" and expected is None)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile, SimpleITK",
    "a resolution per inch",
    "no spacing, though SimpleITK writes one so: `spacing_mm`",
)
@pytest.mark.parity
def test_simpleitk_states_its_spacing_per_inch_which_is_none(tmp_path):
    sitk = pytest.importorskip("SimpleITK", reason="needs SimpleITK")
    image = sitk.GetImageFromArray(STACK)
    image.SetSpacing((0.5, 0.5, 2.0))
    sitk.WriteImage(image, str(tmp_path / "a.tif"))
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.array[..., 0], STACK)
    assert (found.spacing_mm, found.notes) == (None, ())


@pytest.mark.formats_row("Geometry", "TIFF", "tifffile (ImageJ)", "an axis of time")
def test_time_is_no_depth(tmp_path):
    options = {"imagej": True, "resolution": (2, 4), "metadata": {"axes": "TZYX", "unit": "um", "spacing": 3}}
    tifffile.imwrite(tmp_path / "a.tif", np.stack([STACK, STACK + 1]), **options)
    with pytest.raises(DataError, match=r"a\.tif: has the axes TZYX, and T is time; say `pages: frames`"):
        read_image(tmp_path / "a.tif")
    found = read_image(tmp_path / "a.tif", Reading(pages="frames"))
    assert found.frames
    assert found.space == (5, 8, 9)
    assert found.spacing_mm == (3e-3, 2.5e-4, 5e-4)
    np.testing.assert_array_equal(found.array[1, ..., 0], STACK + 1)
