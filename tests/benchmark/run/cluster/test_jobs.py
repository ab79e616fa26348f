"""The job that is sent to a queue for each worker; no queue is asked."""

import gc
import re
import signal
import subprocess
import sys
from pathlib import Path

import dask.config
import dask_jobqueue  # noqa: F401  # brings the defaults of its configuration
import pytest

from unetbench.benchmark import cli
from unetbench.benchmark.run.cluster.clusters import job_script, jobqueue, opened
from unetbench.benchmark.run.cluster.where import Where
from unetbench.core.errors import Unavailable

PAGE = Path(__file__).parents[4] / "docs/cluster.md"

HEADERS = {
    "slurm": ["#SBATCH -J unetbench-jobs", "#SBATCH -n 1", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=15G"],
    "pbs": ["#PBS -N unetbench-jobs", "#PBS -l select=1:ncpus=4:mem=15GB", "#PBS -l walltime=02:00:00"],
    "lsf": ["#BSUB -J unetbench-jobs", "#BSUB -n 4", "#BSUB -W 02:00:00"],
}

CONFIGURATION = """
jobqueue:
  {queue}:
    cores: 4
    memory: 16GB
    processes: 4
    walltime: "02:00:00"
    job-script-prologue: ["module load cuda"]
    worker-extra-args: ["--lifetime", "110m", "--lifetime-stagger", "2m"]
"""


@pytest.fixture
def configured(tmp_path):
    """Give dask a configuration by a file, as a user does; what it had before comes back."""

    jobqueue()  # brings the defaults of its configuration

    def write(text):
        file = tmp_path / "configuration/jobqueue.yaml"
        file.parent.mkdir()
        file.write_text(text, "utf-8")
        dask.config.refresh(paths=[str(file.parent)], env={})

    yield write
    dask.config.refresh()


def test_ctrl_c_stays_what_it_was(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("dask_jobqueue")]:
        monkeypatch.delitem(sys.modules, name)
    before = signal.getsignal(signal.SIGINT)
    assert jobqueue().SLURMCluster
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("queue", HEADERS)
def test_the_job_is_that_of_the_configuration_with_one_process(queue, configured):
    configured(CONFIGURATION.format(queue=queue))
    script = job_script(Where(queue, count=3), "jobs")
    lines = script.splitlines()
    assert set(HEADERS[queue]) <= set(lines), script
    (worker,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert "--nthreads 4 " in worker
    assert "--nworkers" not in worker
    assert worker.endswith("--lifetime 110m --lifetime-stagger 2m")
    assert lines[lines.index("module load cuda") + 1 :][0] == worker
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("queue", HEADERS)
def test_the_configuration_of_the_documentation_makes_a_job(queue, configured):
    (text,) = [
        block for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S) if "jobqueue:" in block
    ]
    configured(text.replace("slurm:", f"{queue}:").replace("interface: ib0", "interface: lo"))
    lines = job_script(Where(queue), "nuclei").splitlines()
    assert "source /scratch/me/venv/bin/activate" in lines
    assert [line for line in lines if line.endswith("--gpus=1")], lines
    (worker,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert "--lifetime 23h --lifetime-stagger 5m" in worker
    assert "--interface lo" in worker


def test_the_job_is_printed_and_nothing_is_sent_or_written(tmp_path, configured, write_sweep, capsys):
    sweep = write_sweep(tmp_path, "jobs", models=["unet"])
    configured(CONFIGURATION.format(queue="slurm"))
    words = ["run", str(sweep), "--cluster", "slurm:3", "--print-job", "--results", str(tmp_path / "results")]
    assert cli.main(words) == 0
    told = capsys.readouterr()
    port = re.compile(r":\d+ ")
    assert port.sub("", told.out) == port.sub("", job_script(Where("slurm"), "jobs"))
    assert not told.err
    assert not (tmp_path / "results").exists()


@pytest.mark.filterwarnings("ignore:unclosed cluster")  # dask-jobqueue drops what it could not make
def test_a_configuration_without_cores_is_one_line(tmp_path, configured, write_sweep, capsys):
    sweep = write_sweep(tmp_path, "jobs", models=["unet"])
    configured("")
    assert cli.main(["run", str(sweep), "--cluster", "slurm", "--print-job"]) == 2
    gc.collect()
    told = capsys.readouterr().err
    assert told.count("\n") == 1, told
    assert "You must specify how much cores and memory per job" in told
    assert "see jobqueue.slurm in dask's configuration" in told


def test_where_no_job_can_be_sent_one_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = r"^--cluster pbs: qsub is not here; run this where jobs can be sent to the queue$"
    with pytest.raises(Unavailable, match=told), opened(Where("pbs", count=2), "jobs", 1):
        pass
