"""The command line. Heavy libraries are imported by the commands that need them, so that `--help` is instant."""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib import import_module

from .. import __version__
from ..core.backend import default_backend
from ..core.errors import UnetbenchError
from ..core.printable import PrintableStream, one_line_printable
from ..core.registry import load_plugin
from .commands import arguments, record_arguments, table_arguments
from .commands.update_arguments import update_arguments
from .run.tensorflow_log import quiet_tensorflow

FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}
"""What the system says of a disk that is full, and of a quota or a file's limit that is reached."""

INTERRUPTED = {
    **dict.fromkeys(("run", "tune"), "every finished trial is kept: the same command goes on"),
    "report": "some of its files may be there already: the same command writes all of them",
    "time": "trials and settings that were finished are kept, but for --cases and untrained recipes: the same command "
    "times all anew",
    "export": "no export was written, and an earlier one in its place is as it was",
    "prune": "the trial that it starts from is as it was: the same command goes on",
    "update": "the model in place is the one before: the same command goes on",
    "merge": "what was joined is whole: the same command goes on",
    "rerun": "nothing of it is kept, and the record is as it was",
    "data": "what was fetched whole is kept: the same command goes on",
    "predict": "every finished image is kept: the same command goes on",
    "cache": "what was not removed yet is still there",
}
"""By command, what is true of it once it was interrupted; the others leave nothing that had to be told."""

LONGEST = 2000
"""Letters of an error that are shown."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 fine, 1 some trial is not done, 2 bad input, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    options.words = words
    os.environ["KERAS_BACKEND"] = default_backend()  # before Keras takes TensorFlow, which may not be installed
    quiet_tensorflow()
    # Our one line says what OpenCV would say of a damaged file in several.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop ends like Ctrl-C: nothing is lost
    try:
        for plugin in options.plugin:
            load_plugin(plugin)
        with redirect_stdout(PrintableStream(sys.stdout)):  # pyright: ignore[reportArgumentType]
            return options.act(options)
    except UnetbenchError as error:
        print(f"unetbench: {one_line_printable(str(error))[:LONGEST]}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `| head` does
        return 0
    except OSError as error:
        if error.errno not in FULL and error.filename is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        mend = "; free some space: the same command goes on" if error.errno in FULL else ""
        print(f"unetbench: {one_line_printable(f'{where}{error.strerror}')[:LONGEST]}{mend}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = INTERRUPTED.get(options.command, "")
        print(f"unetbench: interrupted{kept and '; '}{kept}", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    top = argparse.ArgumentParser(prog="unetbench", description="Which U-Net, with which loss, is best for this data?")
    top.add_argument("--version", action="version", version=f"unetbench {__version__}")
    words = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, act, takes, text in COMMANDS:
        command = words.add_parser(name, allow_abbrev=False, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument(
            "--plugin", action="append", default=[], metavar="FILE", help="a Python file with more parts"
        )
        command.set_defaults(act=act, command=name)
        takes(command)
    return top


def _act(module: str, function: str = "") -> Callable[[argparse.Namespace], int]:
    """The function of a file of `commands/`, by default that of its name; the file is imported when it is called."""

    def act(options: argparse.Namespace) -> int:
        return getattr(import_module(f".commands.{module}", __package__), function or module)(options)

    return act


def _data(options: argparse.Namespace) -> int:
    if options.action == "audit":
        from .commands.data_audit import audit

        return audit(options)
    from .commands.data import check, fetch

    return check(options) if options.action == "check" else fetch(options)


def _check(options: argparse.Namespace) -> int:
    if options.registry == "runtimes":
        from .commands.check_runtimes import check_runtimes

        return check_runtimes(options)
    from .commands.check import check

    return check(options)


def _list(options: argparse.Namespace) -> int:
    from .commands.list import list_registry

    return list_registry(options.registry, options.json)


def _show(options: argparse.Namespace) -> int:
    from .commands.list import show_part

    if options.draw:
        from .commands.draw import draw

        return draw(options)
    return show_part(options.registry, options.name)


COMMANDS = (
    ("run", _act("run"), arguments.run, "train, score and time every trial of a sweep, then write its report"),
    (
        "plan",
        _act("plan"),
        arguments.plan,
        "show the trials, what is unfit and why, and what they cost; trains nothing",
    ),
    (
        "tune",
        _act("tune"),
        arguments.tune,
        "search settings of each model on validation cases, then train and score the best beside the default",
    ),
    (
        "status",
        _act("status"),
        arguments.status,
        "how far a sweep is: done, running and where, failed and why",
    ),
    ("report", _act("report"), arguments.report, "tables, plots and one HTML page from the records of a sweep"),
    (
        "power",
        _act("power"),
        record_arguments.power,
        "cases and seeds needed to tell two models apart, from the records",
    ),
    ("list", _list, arguments.list_parts, "list the parts of a registry"),
    ("show", _show, arguments.show, "show one part: options, formula, source"),
    ("check", _check, arguments.check, "compare every recipe with its published count, or try it on every runtime"),
    ("time", _act("time"), arguments.time, "time a trained trial, a sweep's trials or an untrained recipe on runtimes"),
    ("export", _act("export"), arguments.export, "write a trained trial as a folder that runs without Keras"),
    ("prune", _act("prune"), arguments.prune, "prune a trained trial, train what remains, and keep record and weights"),
    (
        "ensemble",
        _act("ensemble"),
        arguments.ensemble,
        "make one network of trained trials, chosen on validation, and keep record and weights",
    ),
    (
        "update",
        _act("update"),
        update_arguments,
        "train a model further on new data, and put it in place if it is not worse on the frozen test set",
    ),
    (
        "merge",
        _act("merge"),
        record_arguments.merge,
        "join results of several machines; conflicts are kept as two runs and named, nothing is overwritten",
    ),
    ("rerun", _act("rerun"), arguments.rerun, "run the trial of a record once more and compare every number"),
    (
        "recommend",
        _act("recommend", "recommended"),
        arguments.recommend,
        "choose the trained file to deploy on a machine, and say why",
    ),
    ("data", _data, arguments.data, "fetch the data sets of a sweep, or read every case and report what is wrong"),
    ("predict", _act("predict"), arguments.predict, "segment image files with a trained model"),
    (
        "doctor",
        _act("doctor"),
        arguments.doctor,
        "look at the installation: what is here, what is wrong, and the mend",
    ),
    (
        "lint",
        _act("lint", "lint_tables"),
        table_arguments.lint,
        "check tables of results, anybody's, for numbers that cannot be and marks that do not hold",
    ),
    (
        "import",
        _act("import_table"),
        table_arguments.import_table,
        "read a published table, so that a sweep's report shows it beside its own results",
    ),
    ("cache", _act("cache"), arguments.cache, "show what the cases take that `cache: disk` keeps, or remove them"),
)
"""Name, what is run, what it takes, and its line of help."""
