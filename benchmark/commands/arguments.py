"""What each command of the command line takes."""

import argparse
from pathlib import Path

from ...core.registry import SINGULAR
from .check import edges
from .numbers import count, positive, threads


def run(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench run`."""
    _sweep_options(command)
    _cache_option(command)
    command.add_argument("--workers", type=count, help="trials at once on this machine (default 1)")
    text = "run on dask: local:N, tcp://HOST:PORT, a scheduler file, slurm, pbs or lsf (docs/cluster.md)"
    command.add_argument("--cluster", metavar="WHERE", help=text)
    command.add_argument("--limit", type=float, default=0.0, metavar="SECONDS", help="time out a trial after so long")
    command.add_argument(
        "--retrain-incomplete", action="store_true", help="train those anew that lack latency or files"
    )
    _log_options(command)
    command.add_argument("--no-report", action="store_true", help="leave the report for later")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")
    command.add_argument("--no-wait", action="store_true", help="end when other drivers on this folder have the rest")
    command.add_argument(
        "--print-slurm", type=count, metavar="COPIES", help="print the script of a SLURM job array and end"
    )
    command.add_argument("--print-job", action="store_true", help="print the job of a worker of --cluster and end")


def tune(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench tune`."""
    _sweep_options(command)
    _cache_option(command)
    command.add_argument("--workers", type=count, default=1, help="trials at once on this machine (default 1)")
    command.add_argument("--limit", type=float, default=0.0, metavar="SECONDS", help="time out a trial after so long")
    command.add_argument("--no-report", action="store_true", help="leave the report for later")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")


def status(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench status`."""
    command.add_argument("results", type=Path, help="a sweep's folder of results")
    command.add_argument("--json", action="store_true", help="as JSON")


def doctor(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench doctor`."""
    command.add_argument(
        "--recipe", nargs="+", default=[], metavar="NAME", help="train these twice and compare the numbers"
    )
    command.add_argument("--results", type=Path, default=Path("results"), help="where records would go (results)")
    _trial_options(command)
    command.add_argument("--json", action="store_true", help="as JSON")


def plan(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench plan`."""
    _sweep_options(command)
    _cache_option(command)
    command.add_argument("--workers", type=count, default=1, help="as `run` is to have them (default 1)")


def report(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench report`."""
    command.add_argument("results", type=Path, help="a sweep's folder of results, or the folder of several")
    command.add_argument("--out", type=Path, help="where to write (default: report/ in the sweep's folder)")
    command.add_argument("--empty", help="empty-mask policy (default: the sweep's)")


def list_parts(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench list`."""
    command.add_argument("registry", choices=[*SINGULAR, "pretrained", "sweeps"])
    command.add_argument("--json", action="store_true", help="as JSON")


def show(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench show`."""
    command.add_argument("registry", choices=[*SINGULAR, "pretrained"])
    command.add_argument("name")
    command.add_argument("--draw", type=Path, metavar="FILE", help="draw a model into an .svg, .pdf or .png")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the drawn model")


def check(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench check`."""
    command.add_argument("registry", choices=("models", "runtimes"))
    command.add_argument("--only", nargs="+", default=[], metavar="RECIPE", help="of `check runtimes` (default: all)")
    command.add_argument("--runtimes", nargs="+", metavar="NAME", help="of `check runtimes` (default: all with a file)")
    command.add_argument(
        "--read", type=Path, nargs="+", default=[], metavar="FILE", help="show what `check runtimes --json` wrote there"
    )
    command.add_argument(
        "--size", type=edges, action="append", default=[], help="of `check models`: 256x256 (2D), 64x64x64 (3D) …"
    )
    command.add_argument("--json", action="store_true", help="as JSON")


def time(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench time`."""
    command.add_argument("target", help="a sweep's folder of results, the file of a record, or the name of a recipe")
    command.add_argument("--runtimes", nargs="+", metavar="NAME", help="default: every one (`unetbench list runtimes`)")
    command.add_argument("--batch", type=count, nargs="+", default=[1], help="images a call (default 1)")
    command.add_argument("--size", type=edges, nargs="+", help="256x256 or 16x64x64 (default: the recipe's patch)")
    command.add_argument("--threads", type=threads, nargs="+", default=[0], help="0 for one a core (default)")
    command.add_argument("--samples", type=count, default=50, help="calls of each at most (default 50)")
    command.add_argument(
        "--budget", type=positive, default=5.0, metavar="SECONDS", help="calls of each take (default 5)"
    )
    command.add_argument(
        "--cases",
        type=count,
        metavar="N",
        help="segment N validation and N test cases at most, spread over all, and keep nothing (default: all)",
    )
    command.add_argument("--channels", type=count, help="of an untrained recipe's images (default 3)")
    command.add_argument("--classes", type=count, help="of an untrained recipe (default 1)")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option of an untrained recipe"
    )
    _trial_options(command)
    command.add_argument("--json", action="store_true", help="print raw samples as JSON")


def export(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench export`."""
    text = "the file of a record, or of the weights beside it, or the name of a pretrained model"
    command.add_argument("trial", type=Path, help=text)
    command.add_argument(
        "--format", required=True, metavar="RUNTIME", help="onnx, litert_int8, openvino … (`list runtimes`)"
    )
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the format")
    command.add_argument("--bioimageio", action="store_true", help="with a bioimage.io description (ONNX formats)")
    command.add_argument("--out", type=Path, help="the folder (default: the model's and the format's name)")
    command.add_argument("--size", type=edges, help="of the windows it takes (default: the recipe's patch)")
    command.add_argument("--threads", type=threads, default=0, help="of the self-test; 0 for one a core (default)")
    _trial_options(command)


def prune(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench prune`."""
    command.add_argument("trial", type=Path, help="the file of a record, or of the weights beside it")
    how = command.add_mutually_exclusive_group(required=True)
    how.add_argument("--channels", type=float, metavar="SHARE", help="take out this share of the channels")
    how.add_argument("--sparsity", type=float, metavar="SHARE", help="set this share of the kernels' weights to zero")
    command.add_argument("--ranking", choices=("layer", "global"), default="layer", help="what is compared with what")
    command.add_argument("--multiple", type=count, default=1, help="channels that stay in a layer: multiples of this")
    command.add_argument("--epochs", type=count, help="of the training that follows (default: a fifth of the recipe's)")
    command.add_argument("--rate", type=float, help="its learning rate (default: the recipe's)")
    _trial_options(command)
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")


def ensemble(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench ensemble`."""
    command.add_argument("trials", type=Path, nargs="+", help="files of records, or of the weights beside them")
    command.add_argument(
        "--mean", choices=("probabilities", "logits"), default="probabilities", help="of what (default: probabilities)"
    )
    command.add_argument("--choose", choices=("all", "greedy"), default="all", help="which members (default: all)")
    command.add_argument("--rounds", type=count, help="of --choose greedy (default: 10)")
    command.add_argument("--most", type=count, help="different members of --choose greedy (default: any number)")
    command.add_argument("--copies", choices=("mirror", "turns"), help="average over mirrored, or turned copies too")
    _trial_options(command)
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")


def rerun(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench rerun`."""
    command.add_argument("record", type=Path, help="the file of a record")
    _trial_options(command)
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")


def recommend(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench recommend`."""
    command.add_argument("results", type=Path, help="a sweep's folder of results, or the folder of several")
    command.add_argument("--device", metavar="NAME", help="a machine that was timed, by part of name or hardware")
    command.add_argument("--min-dice", type=positive, metavar="DICE", help="mean Dice of validation cases at least")
    command.add_argument("--max-latency-ms", type=positive, metavar="MS", help="median of a call at most")
    command.add_argument("--max-mb", type=positive, metavar="MB", help="size of the file at most, of 10^6 bytes")
    command.add_argument("--json", action="store_true", help="as JSON")


def data(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench data`."""
    command.add_argument("action", choices=("check", "fetch", "audit"))
    command.add_argument(
        "--show", type=Path, metavar="FILE", help="draw a few cases of each data set and their outlines"
    )
    _sweep_options(command)
    audit = command.add_argument_group("of `audit`, which also takes the name of a data set")
    audit.add_argument("--folds", type=count, default=5, help="parts, by group, that are predicted in turn (default 5)")
    audit.add_argument("--models", metavar="A,B", help="of the sweep's (default: all)")
    audit.add_argument("--seeds", type=count, default=2, help="trainings of each model and fold (default 2)")
    audit.add_argument("--workers", type=count, default=1, help="trials at once on this machine (default 1)")
    audit.add_argument("--limit", type=float, default=0.0, metavar="SECONDS", help="time out a trial after so long")
    audit.add_argument(
        "--reviewed", type=Path, metavar="FILE", help="CSV with columns case and verdict, right or wrong"
    )
    audit.add_argument("--threshold", type=positive, default=0.95, metavar="SHARE", help="asked for (default 0.95)")
    audit.add_argument("--pictures", type=count, default=60, metavar="N", help="cases in the gallery (default 60)")
    audit.add_argument("--quiet", action="store_true", help="no progress on stderr")
    _cache_option(command)


def predict(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench predict`."""
    text = "files, folders, OME-Zarr folders or globs; without --model the first one is the model"
    command.add_argument("images", nargs="+", metavar="IMAGE", help=text)
    text = "a pretrained model's name, record or .keras weights of a trained trial, or an export folder"
    command.add_argument("--model", help=text)
    text = "where masks and measures go (default: predicted)"
    command.add_argument("--out", type=Path, default=Path("predicted"), metavar="DIR", help=text)
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
    command.add_argument("--memory-mib", type=count, default=2048, metavar="N", help=text)
    command.add_argument("--overwrite", action="store_true", help="segment anew what is finished")
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")


def cache(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench cache`."""
    command.add_argument("--clear", nargs="*", metavar="NAME", help="remove those of these data sets, or all")


def _sweep_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("sweep", help="a YAML file, or the name of a shipped sweep (`unetbench list sweeps`)")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for instance recipe.epochs=5")
    command.add_argument("--data", type=Path, help="folder of data sets (default: $UNETBENCH_DATA)")
    command.add_argument("--results", type=Path, default=Path("results"), help="where records go (default: results)")
    command.add_argument("--no-download", action="store_true", help="never fetch data")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _log_options(command: argparse.ArgumentParser) -> None:
    text = "write what happens as JSON lines at the end of a file, or - for stdout"
    command.add_argument("--events", metavar="FILE", help=text)
    command.add_argument("--tensorboard", type=Path, metavar="DIR", help="log every trial for TensorBoard")
    text = "log every trial to MLflow: http://SERVER:PORT, sqlite:///FILE or another database"
    command.add_argument("--mlflow", metavar="ADDRESS", help=text)


def _trial_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, help="folder of data sets (default: $UNETBENCH_DATA)")


def _cache_option(command: argparse.ArgumentParser) -> None:
    text = "where training cases are kept (default: the sweep's, which is memory); results are the same"
    command.add_argument("--cache", choices=("memory", "disk"), help=text)
