"""The command line. Heavy libraries are imported by the commands that need them, so that `--help` is instant."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..core.errors import UnetbenchError
from ..core.registry import SINGULAR, load_plugin
from .commands.check import edges
from .run.tensorflow_log import quiet_tensorflow


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 fine, 1 some trial is not done, 2 bad input, 130 interrupted."""
    options = parser().parse_args(arguments)
    quiet_tensorflow()
    # Our one line says what OpenCV would say of a damaged file in several.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop ends like Ctrl-C: nothing is lost
    try:
        for plugin in options.plugin:
            load_plugin(plugin)
        return options.act(options)
    except UnetbenchError as error:
        print(f"unetbench: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `| head` does
        return 0
    except KeyboardInterrupt:
        print("unetbench: interrupted; every finished trial is kept: the same command goes on", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    top = argparse.ArgumentParser(prog="unetbench", description="Which U-Net, with which loss, is best for this data?")
    top.add_argument("--version", action="version", version=f"unetbench {__version__}")
    words = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = _command(words, "run", _run, "train, score and time every trial of a sweep, then write its report")
    _sweep_options(run)
    _cache_option(run)
    run.add_argument("--workers", type=_count, default=1, help="trials at once on this machine (default 1)")
    run.add_argument("--limit", type=float, default=0.0, metavar="SECONDS", help="time out a trial after so long")
    run.add_argument("--retrain-incomplete", action="store_true", help="train those anew that lack latency or files")
    run.add_argument("--no-report", action="store_true", help="leave the report for later")
    run.add_argument("--quiet", action="store_true", help="no progress on stderr")

    plan = _command(words, "plan", _plan, "show the trials, what is unfit and why, and what they cost; trains nothing")
    _sweep_options(plan)
    _cache_option(plan)

    report = _command(words, "report", _report, "tables, plots and one HTML page from the records of a sweep")
    report.add_argument("results", type=Path, help="a sweep's folder of results, or the folder of several")
    report.add_argument("--out", type=Path, help="where to write (default: report/ in the sweep's folder)")
    report.add_argument("--empty", help="empty-mask policy (default: the sweep's)")

    listing = _command(words, "list", _list, "list the parts of a registry")
    listing.add_argument("registry", choices=[*SINGULAR, "sweeps"])
    listing.add_argument("--json", action="store_true", help="as JSON")

    show = _command(words, "show", _show, "show one part: options, formula, source")
    show.add_argument("registry", choices=SINGULAR)
    show.add_argument("name")
    show.add_argument("--draw", type=Path, metavar="FILE", help="draw a model into an .svg, .pdf or .png")
    show.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the drawn model")

    check = _command(words, "check", _check, "build every recipe and compare with its published parameter count")
    check.add_argument("registry", choices=("models",))
    check.add_argument("--size", type=edges, action="append", default=[], help="256x256 (2D), 64x64x64 (3D), or others")
    check.add_argument("--json", action="store_true", help="as JSON")

    data = _command(words, "data", _data, "fetch the data sets of a sweep, or read every case and report what is wrong")
    data.add_argument("action", choices=("check", "fetch"))
    data.add_argument("--show", type=Path, metavar="FILE", help="draw a few cases of each data set and their outlines")
    _sweep_options(data)
    data.set_defaults(cache=None)

    predict = _command(words, "predict", _predict, "segment image files with a trained model")
    _predict_options(predict)

    cache = _command(words, "cache", _cache, "show what the cases take that `cache: disk` keeps, or remove them")
    cache.add_argument("--clear", nargs="*", metavar="NAME", help="remove those of these data sets, or all")
    return top


def _command(words, name: str, act, text: str) -> argparse.ArgumentParser:
    command = words.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("--plugin", action="append", default=[], metavar="FILE", help="a Python file with more parts")
    command.set_defaults(act=act)
    return command


def _sweep_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("sweep", help="a YAML file, or the name of a shipped sweep (`unetbench list sweeps`)")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for instance recipe.epochs=5")
    command.add_argument("--data", type=Path, help="folder of data sets (default: $UNETBENCH_DATA)")
    command.add_argument("--results", type=Path, default=Path("results"), help="where records go (default: results)")
    command.add_argument("--no-download", action="store_true", help="never fetch data")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _predict_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="record or .keras weights of a trained trial")
    command.add_argument("images", nargs="+", help="files, folders, OME-Zarr folders or globs")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where masks and measures go")
    command.add_argument("--probabilities", action="store_true", help="write the probabilities of the classes too")
    command.add_argument("--instances", action="store_true", help="write numbered objects too")
    command.add_argument("--overlays", action="store_true", help="write pictures with outlines too")
    command.add_argument("--mirror", action="store_const", const=True, help="average over mirrored copies")
    command.add_argument("--shard", metavar="I/N", help="only every N-th image, the I-th of them first")
    command.add_argument("--classes", metavar="A,B", help="refuse a model that was trained for others")
    text = "parts of a file that are images of their own (default of this and the next: as in training)"
    command.add_argument("--pages", choices=("volume", "frames", "cases"), help=text)
    command.add_argument("--channels", choices=("first", "last", "none"), help="which axis is channels")
    command.add_argument("--exif", choices=("apply", "ignore"), help="whether files' orientation is applied")
    command.add_argument("--array", metavar="NAME", help="which array of an NPZ")
    text = "what an image may take, more goes by regions (default 2048)"
    command.add_argument("--memory-mib", type=_count, default=2048, metavar="N", help=text)
    command.add_argument("--overwrite", action="store_true", help="segment anew what is finished")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _cache_option(command: argparse.ArgumentParser) -> None:
    text = "where training cases are kept (default: the sweep's, which is memory); results are the same"
    command.add_argument("--cache", choices=("memory", "disk"), help=text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    from .commands.run import run

    return run(options)


def _plan(options: argparse.Namespace) -> int:
    from .commands.plan import plan

    return plan(options)


def _data(options: argparse.Namespace) -> int:
    from .commands.data import check, fetch

    return check(options) if options.action == "check" else fetch(options)


def _predict(options: argparse.Namespace) -> int:
    from .commands.predict import predict

    return predict(options)


def _cache(options: argparse.Namespace) -> int:
    from .commands.cache import cache

    return cache(options)


def _report(options: argparse.Namespace) -> int:
    from .report.write import write_reports

    for report in write_reports(options.results, options.out, empty=options.empty):
        for file in report.files:
            print(file)
        for note in report.notes:
            print(f"unetbench: {note}", file=sys.stderr)
    return 0


def _check(options: argparse.Namespace) -> int:
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
