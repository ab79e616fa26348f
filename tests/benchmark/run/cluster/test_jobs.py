"""The job that is sent to a queue for each worker; no queue is asked."""

import subprocess

import pytest

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


@pytest.mark.parametrize("queue", HEADERS)
def test_the_job_is_that_of_the_configuration_with_one_process(queue, tmp_path, monkeypatch, command, write_sweep):
    sweep = write_sweep(tmp_path, "jobs", models=["unet"])
    (tmp_path / "jobqueue.yaml").write_text(CONFIGURATION.format(queue=queue), "utf-8")
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path))
    process = command("run", sweep, "--cluster", f"{queue}:3", "--print-job", "--results", tmp_path / "results")
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    assert set(HEADERS[queue]) <= set(lines), process.stdout
    (worker,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert "--nthreads 4 " in worker
    assert "--nworkers" not in worker
    assert worker.endswith("--lifetime 110m --lifetime-stagger 2m")
    assert lines[lines.index("module load cuda") + 1 :][0] == worker
    subprocess.run(["bash", "-n"], input=process.stdout, text=True, check=True)
    assert not (tmp_path / "results").exists()


def test_a_configuration_without_cores_is_one_line(tmp_path, monkeypatch, command, write_sweep):
    sweep = write_sweep(tmp_path, "jobs", models=["unet"])
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "none"))
    process = command("run", sweep, "--cluster", "slurm", "--print-job")
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1, process.stderr
    assert "You must specify how much cores and memory per job" in process.stderr
    assert "see jobqueue.slurm in dask's configuration" in process.stderr


def test_where_no_job_can_be_sent_one_line_says_so(tmp_path, monkeypatch, command, write_sweep):
    sweep = write_sweep(tmp_path, "jobs", models=["unet"])
    monkeypatch.setenv("DASK_JOBQUEUE__PBS__CORES", "1")
    monkeypatch.setenv("DASK_JOBQUEUE__PBS__MEMORY", "1GB")
    process = command("run", sweep, "--cluster", "pbs:2", "--results", tmp_path / "results")
    assert process.returncode == 2
    assert (
        process.stderr == "unetbench: --cluster pbs: qsub is not here; run this where jobs can be sent to the queue\n"
    )
