"""What `unetbench update` takes."""

import argparse
from pathlib import Path


def update_arguments(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench update`."""
    command.add_argument("model", type=Path, help="the file of a record, of the weights beside it, or a current.json")
    text = "a folder that is read as the model's own, a YAML file with one data set, or the name of a data set"
    command.add_argument("new_data", nargs="?", metavar="NEW_DATA", help=text)
    command.add_argument("--method", default="replay", help="replay (default), finetune, ewc, lwf or average")
    command.add_argument("--keep", type=int, help="of replay: training cases of earlier data (default: 8)")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another option of the method")
    command.add_argument("--epochs", type=int, help="of the training (default: the recipe's)")
    command.add_argument("--rate", type=float, help="its learning rate (default: the recipe's)")
    command.add_argument("--metric", default="dice", metavar="NAME", help="of the gate (default: dice)")
    text = "how much worse than the old model the new one may be on the frozen test set (default: 0.01 of a share)"
    command.add_argument("--margin", type=float, help=text)
    command.add_argument("--name", default="", help="of the line of updates (default: the id of the first model)")
    command.add_argument("--undo", action="store_true", help="put the model before the current one in place again")
    command.add_argument("--reason", default="", metavar="TEXT", help="of --undo, for the record")
    command.add_argument("--list", action="store_true", help="show every decision of the line")
    command.add_argument("--data", type=Path, help="folder of data sets (default: $UNETBENCH_DATA)")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")
