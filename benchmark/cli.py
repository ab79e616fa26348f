"""The command line. Heavy libraries are imported by the commands that need them, so that `--help` is instant."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..core.backend import default_backend
from ..core.errors import UnetbenchError
from ..core.registry import SINGULAR, load_plugin
from .commands.check import edges
from .run.tensorflow_log import quiet_tensorflow


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 fine, 1 some trial is not done, 2 bad input, 130 interrupted."""
    options = parser().parse_args(arguments)
    os.environ["KERAS_BACKEND"] = default_backend()  # before Keras takes TensorFlow, which may not be installed
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

    check = _command(
        words, "check", _check, "compare every recipe with its published count, or try it on every runtime"
    )
    check.add_argument("registry", choices=("models", "runtimes"))
    check.add_argument("--only", nargs="+", default=[], metavar="RECIPE", help="of `check runtimes` (default: all)")
    check.add_argument("--runtimes", nargs="+", metavar="NAME", help="of `check runtimes` (default: all with a file)")
    check.add_argument("--size", type=edges, action="append", default=[], help="256x256 (2D), 64x64x64 (3D), or others")
    check.add_argument("--json", action="store_true", help="as JSON")

    time = _command(words, "time", _time, "time a trained trial, a sweep's trials or an untrained recipe on runtimes")
    time.add_argument("target", help="a sweep's folder of results, the file of a record, or the name of a recipe")
    time.add_argument("--runtimes", nargs="+", metavar="NAME", help="default: every one (`unetbench list runtimes`)")
    time.add_argument("--batch", type=_count, nargs="+", default=[1], help="images a call (default 1)")
    time.add_argument("--size", type=edges, nargs="+", help="256x256 or 16x64x64 (default: the recipe's patch)")
    time.add_argument("--threads", type=int, nargs="+", default=[0], help="0 for one a core (default)")
    time.add_argument("--samples", type=_count, default=50, help="calls of each at most (default 50)")
    time.add_argument("--budget", type=float, default=5.0, metavar="SECONDS", help="calls of each take (default 5)")
    time.add_argument("--channels", type=_count, default=3, help="of an untrained recipe's images (default 3)")
    time.add_argument("--classes", type=_count, default=1, help="of an untrained recipe (default 1)")
    time.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option of an untrained recipe"
    )
    _trial_options(time)
    time.add_argument("--json", action="store_true", help="print raw samples as JSON")

    export = _command(words, "export", _export, "write a trained trial as a folder that runs without Keras")
    export.add_argument("trial", type=Path, help="the file of a record, or of the weights beside it")
    export.add_argument(
        "--format", required=True, metavar="RUNTIME", help="onnx, litert_int8, openvino … (`list runtimes`)"
    )
    export.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the format")
    export.add_argument("--out", type=Path, help="the folder (default: the model's and the format's name)")
    export.add_argument("--size", type=edges, help="of the windows it takes (default: the recipe's patch)")
    export.add_argument("--threads", type=int, default=0, help="of the self-test; 0 for one a core (default)")
    _trial_options(export)

    prune = _command(words, "prune", _prune, "prune a trained trial, train what remains, and keep record and weights")
    prune.add_argument("trial", type=Path, help="the file of a record, or of the weights beside it")
    how = prune.add_mutually_exclusive_group(required=True)
    how.add_argument("--channels", type=float, metavar="SHARE", help="take out this share of the channels")
    how.add_argument("--sparsity", type=float, metavar="SHARE", help="set this share of the kernels' weights to zero")
    prune.add_argument("--ranking", choices=("layer", "global"), default="layer", help="what is compared with what")
    prune.add_argument("--multiple", type=_count, default=1, help="channels that stay in a layer: multiples of this")
    prune.add_argument("--epochs", type=_count, help="of the training that follows (default: a fifth of the recipe's)")
    prune.add_argument("--rate", type=float, help="its learning rate (default: the recipe's)")
    _trial_options(prune)
    prune.add_argument("--json", action="store_true", help="print the outcome as JSON")
    prune.add_argument("--quiet", action="store_true", help="no progress on stderr")

    recommend = _command(words, "recommend", _recommend, "choose the trained file to deploy on a machine, and say why")
    recommend.add_argument("results", type=Path, help="a sweep's folder of results, or the folder of several")
    recommend.add_argument("--device", metavar="NAME", help="a machine that was timed, by part of name or hardware")
    recommend.add_argument("--min-dice", type=_positive, metavar="DICE", help="mean Dice of validation cases at least")
    recommend.add_argument("--max-latency-ms", type=_positive, metavar="MS", help="median of a call at most")
    recommend.add_argument("--max-mb", type=_positive, metavar="MB", help="size of the file at most, of 10^6 bytes")
    recommend.add_argument("--json", action="store_true", help="as JSON")

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
    command.add_argument("model", type=Path, help="record or .keras weights of a trained trial, or an export folder")
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


def _trial_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, help="folder of data sets (default: $UNETBENCH_DATA)")


def _cache_option(command: argparse.ArgumentParser) -> None:
    text = "where training cases are kept (default: the sweep's, which is memory); results are the same"
    command.add_argument("--cache", choices=("memory", "disk"), help=text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


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


def _time(options: argparse.Namespace) -> int:
    from .commands.time import time

    return time(options)


def _prune(options: argparse.Namespace) -> int:
    from .commands.prune import prune

    return prune(options)


def _export(options: argparse.Namespace) -> int:
    from .commands.export import export

    return export(options)


def _recommend(options: argparse.Namespace) -> int:
    from .commands.recommend import recommended

    return recommended(options)


def _report(options: argparse.Namespace) -> int:
    from .report.write import write_reports

    for report in write_reports(options.results, options.out, empty=options.empty):
        for file in report.files:
            print(file)
        for note in report.notes:
            print(f"unetbench: {note}", file=sys.stderr)
    return 0


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
