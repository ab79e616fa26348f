"""What `unetbench run` logs besides its records, where that was asked for."""

import argparse

from ...core.errors import SpecError
from ..logs.event_log import STANDARD_OUTPUT, EventLog
from ..logs.mlflow_log import MlflowLog
from ..logs.tensorboard_log import TensorBoardLog
from ..records.claims import Claims
from ..records.store import Store
from ..run.listener import Listener
from ..sweep.file import Sweep


def logs(options: argparse.Namespace, wanted: Sweep, store: Store) -> list[Listener]:
    """The logs that the command line asks for.

    Raises SpecError for an address that MLflow cannot use, Unavailable when MLflow is not installed, StoreError for a
    file or folder that cannot be made.
    """
    found: list[Listener] = []
    if options.events:
        found.append(EventLog(options.events, wanted.name))
    if options.tensorboard:
        found.append(TensorBoardLog(options.tensorboard, wanted.empty))
    if options.mlflow:
        claims = Claims.of(store)
        found.append(
            MlflowLog(
                options.mlflow,
                wanted.name,
                machine=store.machine,
                policy=wanted.empty,
                is_elsewhere=lambda key: key in claims.others(),
            )
        )
    return found


def check_stdout(options: argparse.Namespace) -> None:
    """Raise SpecError where two would share standard output."""
    if options.json and options.events == STANDARD_OUTPUT:
        raise SpecError("--json and --events - both write to stdout; give --events a file")


def takes_stdout(options: argparse.Namespace) -> bool:
    """Whether standard output is a machine's to read, so that tables for a person go to stderr."""
    return options.json or options.events == STANDARD_OUTPUT
