"""`unetbench show models NAME --draw FILE`: a model as a figure."""

import argparse

from ...core.errors import SpecError, Unfit
from ...core.task import Task
from .trials import keyed

FORMATS = (".svg", ".pdf", ".png")


def draw(options: argparse.Namespace) -> int:
    """Draw the model that its options make, for images of three channels and one class; in 3D where it needs that."""
    from ...models import MODELS
    from ..report.architecture import draw as write

    if options.registry != "models":
        raise SpecError(f"--draw draws models; {options.name} is one of the {options.registry}")
    if options.draw.suffix not in FORMATS or not options.draw.parent.is_dir():
        raise SpecError(f"--draw {options.draw}: give a file in a folder that is there, ending in {', '.join(FORMATS)}")
    chosen = keyed(options.set)
    MODELS.check(options.name, chosen)
    make, label = MODELS[options.name], ", ".join([options.name, *options.set])
    try:
        model = make(Task(2, 3, ("foreground",)), **chosen)
    except Unfit as error:
        if "needs rank 3" not in str(error):
            raise
        model = make(Task(3, 3, ("foreground",)), **chosen)
    write(model, options.draw, label)
    print(options.draw)
    return 0
