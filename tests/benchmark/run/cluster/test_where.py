"""Which cluster `--cluster` names, and what is said where it names none or dask is absent."""

import pytest

from unetbench.benchmark import cli
from unetbench.benchmark.commands import crews
from unetbench.benchmark.run.cluster.where import Where, where
from unetbench.core.errors import SpecError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("local:2", Where("local", count=2)),
        ("tcp://node1:8786", Where("address", "tcp://node1:8786")),
        ("tls://10.0.0.1:8786", Where("address", "tls://10.0.0.1:8786")),
        ("shared/scheduler.json", Where("file", "shared/scheduler.json")),
        ("slurm", Where("slurm")),
        ("pbs:12", Where("pbs", count=12)),
        ("lsf:1", Where("lsf", count=1)),
    ],
)
def test_a_cluster_is_read_from_its_word(text, found):
    assert where(text) == found


@pytest.mark.parametrize("text", ["", "local", "local:0", "local:two", "slurm:", "slurm:0", "tcp://node", "sge:2"])
def test_what_names_no_cluster_is_refused_with_what_is_possible(text):
    with pytest.raises(SpecError, match=r"names no cluster; local:N, tcp://HOST:PORT, .* are possible"):
        where(text)


@pytest.mark.parametrize(
    ("cluster", "absent", "named"),
    [("local:2", "distributed", "distributed"), ("slurm:2", "dask_jobqueue", "dask_jobqueue")],
)
def test_without_the_extra_one_line_names_it(monkeypatch, capsys, tmp_path, cluster, absent, named):
    monkeypatch.setattr(crews, "find_spec", lambda name: None if name == absent else object())
    assert cli.main(["run", "quick", "--cluster", cluster, "--results", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == f"unetbench: --cluster: {named} is not installed: pip install 'unetbench[cluster]'\n"


def test_workers_here_and_a_cluster_exclude_each_other(capsys, tmp_path):
    words = ["run", "quick", "--cluster", "local:2", "--workers", "2", "--results", str(tmp_path)]
    assert cli.main(words) == 2
    assert capsys.readouterr().err.endswith("is for trials on this machine without --cluster; give one of them\n")


def test_a_job_is_printed_of_a_cluster_that_has_jobs(capsys):
    assert cli.main(["run", "quick", "--print-job"]) == 2
    assert capsys.readouterr().err.endswith("name it, as in --cluster slurm\n")
