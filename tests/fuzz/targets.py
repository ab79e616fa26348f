"""The readers that are given wrong files, each with the files it is to refuse or read."""

from collections.abc import Callable
from dataclasses import dataclass

import annotation_target
import image_targets as images
import network_targets as networks
import search_target
import text_targets as texts
from prepared import Prepared


@dataclass(frozen=True)
class Target:
    """A reader. weight: its share of the inputs, beside those of the others. prepare: loads what it needs.

    needs: a package that may not be installed.
    """

    name: str
    weight: float
    prepare: Callable[[], Prepared]
    needs: str = ""


TARGETS = {
    target.name: target
    for target in (
        *(Target(name, 20, prepare) for name, prepare in images.PICTURES.items()),
        Target("record", 188, texts.record),
        Target("sweep", 110, texts.sweep),
        Target("sweep_of_results", 40, texts.resumed),
        Target("report", 5, texts.report),
        Target("deployments", 70, texts.deployments),
        Target("peaks", 30, texts.peaks),
        Target("planned", 30, texts.planned),
        Target("claims", 40, texts.claims),
        Target("tuning", 20, search_target.search, "keras_tuner"),
        Target("measures", 20, texts.measures),
        Target("report_list", 20, texts.listed),
        Target("export", 40, texts.export),
        Target("table", 40, texts.table),
        Target("annotations", 40, annotation_target.annotations),
        Target("checkpoint", 20, networks.checkpoint),
        Target("previews", 20, networks.previews),
        Target("ome_zarr", 10, images.ome_zarr, "zarr"),
        Target("keras", 3, networks.keras, "tensorflow"),
    )
}
