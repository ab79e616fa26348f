"""The script with which a SLURM job array runs a sweep."""

import argparse
import shlex
from collections.abc import Sequence

from ...core.errors import SpecError

WARNING_S = 600
"""Seconds before the end of the time at which SLURM says so; an epoch must fit in."""


def check_alone(options: argparse.Namespace) -> None:
    """Raise SpecError for options that copies on one folder cannot all have."""
    if options.cluster:
        raise SpecError("--print-slurm: its copies share the trials by claims; leave --cluster out")
    if options.events:
        raise SpecError(
            "--print-slurm: all copies would write the events of one file; leave --events out, and put "
            '--events "FILE-$SLURM_ARRAY_TASK_ID" into the script'
        )


def slurm_script(words: Sequence[str], name: str, copies: int) -> str:
    """Return a batch script of an array of so many copies of `unetbench WORDS` on one folder.

    words: of the command line, from which `--print-slurm` is left out. name: of the sweep. The copies share the trials
    by claims. SLURM's signal ahead of the end becomes a checkpoint and exit status 75, for which the script asks to be
    queued again.
    """
    kept = shlex.join([*_without(words), "--no-wait", "--no-report"])
    return f"""#!/bin/bash
#SBATCH --job-name=unetbench-{name}
#SBATCH --array=1-{copies}
#SBATCH --time=24:00:00
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
##SBATCH --gpus=1                  # and `devices: [gpu]` in the sweep
##SBATCH --constraint=...          # one kind of node: records of different hardware do not mix
#SBATCH --signal=USR1@{WARNING_S}         # longer than one epoch takes
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=unetbench-{name}-%a.log

# Activate the environment that unetbench is installed in here.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" unetbench {kept}
status=$?
if [ $status -eq 75 ]; then       # out of time at a checkpoint: go on in a new job
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit $status"""


def _without(words: Sequence[str]) -> list[str]:
    """The words without `--print-slurm` and its number."""
    kept: list[str] = []
    number = False
    for word in words:
        if number and word.isdecimal():
            number = False
            continue
        number = word == "--print-slurm"
        if not word.startswith("--print-slurm"):
            kept.append(word)
    return kept
