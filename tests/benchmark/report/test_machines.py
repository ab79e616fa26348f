"""Records of one machine stand in one table, and latencies of hardware that may differ never side by side."""

import pytest

from unetbench.benchmark.records.machine import digest, name_of
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.notes import facts, remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.tables.terminal import terminal_text
from unetbench.benchmark.report.write import write_report

FIRST = {"name": "amd-epyc-2-cores", "cpu": "AMD EPYC", "cores": 2, "memory_bytes": 2**34, "gpu": "", "system": "Linux"}
OLD = FIRST["name"]


def known(**changes):
    told = {"stepping": "model 17 stepping 1", "instructions": ["avx2", "avx512"], "limits": {}, "quota_cores": None}
    described = {**FIRST, **told, "threads": 2, "driver": "", **changes}
    described["digest"] = digest(described)
    return {**described, "name": name_of(described)}


@pytest.fixture
def put(sweep, make):
    """Write the record of a trial of a model and seed, made on a machine, into a folder; by default its own name's."""

    def write(machine, model="unet", seed=0, folder=""):
        scores = [make.score(case, 0.8 + 0.01 * seed) for case in "abcdefgh"]
        record = make.record(make.trial(model, seed=seed), scores, machine=machine)
        return sweep(record, machine=folder or machine["name"])

    return write


def tables(folder):
    return comparison_tables(frames(folder, "nan_worst"))


def test_older_records_of_the_machine_stand_in_its_table(put):
    here = known()
    put(FIRST, seed=0)
    put(FIRST, "vnet", seed=0)
    (table,) = tables(put(here, seed=1))
    assert table.machine == here["name"]
    assert sorted(key.split("/")[0] for key in table.older) == [OLD, OLD]
    assert [row.seeds for row in table.rows if row.model == "unet"] == [2]
    assert any("2 of 3 records are older (amd-epyc-2-cores)" in line for line in remarks(table))
    assert dict(facts(table))["Machine"] == (
        f"{here['name']}: AMD EPYC (model 17 stepping 1), avx2 avx512, 2 cores, 16 GiB memory, Linux"
    )


def test_the_latency_of_older_records_is_another_setting(put):
    put(FIRST, seed=0)
    put(known(), seed=1)
    (table,) = tables(put(known(), seed=2))
    assert table.setting == "keras on cpu, batch 1, 32×32×1, float32"
    assert len(table.rows[0].latency(table.setting).samples_s) == 10  # five samples of each of the two known ones
    assert sorted(entry.setting for entry in table.rows[0].latencies) == [
        table.setting,
        f"{table.setting}, older record",
    ]


def test_more_older_records_do_not_push_the_latency_of_this_machine_aside(put):
    for seed in range(3):
        put(FIRST, seed=seed)
    (table,) = tables(put(known(), "vnet", seed=0))
    assert table.setting == "keras on cpu, batch 1, 32×32×1, float32"
    assert "3 of 4 records are older" in " ".join(terminal_text([table], 400).split())


def test_a_sweep_of_older_records_alone_is_shown_as_ever(put):
    (table,) = tables(put(FIRST))
    assert (table.machine, table.older, table.setting[-7:]) == (OLD, (), "float32")
    assert not any("older" in line for line in remarks(table))


def test_an_older_record_that_may_be_of_either_of_two_machines_stays_by_itself(put):
    put(FIRST, seed=0)
    put(known(), seed=1)
    folder = put(known(stepping="model 1 stepping 1"), seed=1)
    assert len({table.machine for table in tables(folder)}) == 3
    assert not any(table.older for table in tables(folder))


@pytest.mark.parametrize(
    "changes", [{"cpu": "AMD EPYC 9R14"}, {"cores": 4}, {"gpu": "L4"}, {"system": "Linux aarch64"}]
)
def test_an_older_record_of_hardware_that_cannot_be_the_same_stays_by_itself(put, changes):
    put({**FIRST, **changes}, folder=OLD)
    assert sorted(table.machine for table in tables(put(known(), seed=1))) == sorted([OLD, known()["name"]])


def test_an_older_record_of_a_trial_that_was_run_anew_stays_by_itself(put):
    put(FIRST, seed=0)
    assert len(tables(put(known(), seed=0))) == 2


def test_a_folder_named_by_the_user_takes_no_records_of_another(put):
    put(FIRST, seed=0)
    assert sorted(table.machine for table in tables(put(known(), seed=1, folder="lab"))) == [OLD, "lab"]


def test_a_folder_named_by_the_user_holds_its_older_records(put):
    put(FIRST, seed=0, folder="lab")
    (table,) = tables(put(known(), seed=1, folder="lab"))
    assert (table.machine, len(table.older)) == ("lab", 1)


def test_hardware_that_differs_within_a_folder_makes_two_tables(put):
    first, second = known(), known(stepping="model 1 stepping 1")
    put(first, seed=0, folder="lab")
    folder = put(second, seed=1, folder="lab")
    assert sorted(table.machine for table in tables(folder)) == sorted(
        f"lab-{m['digest'][:6]}" for m in (first, second)
    )
    assert write_report(folder)
