"""Of records that differ in the source of one's own part alone the last one is reported, and the report says so."""

from dataclasses import replace

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.replaced import latest
from unetbench.benchmark.report.tables.notes import remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.core.trial import Derivation


def _made(make, source, finished, dice, **split):
    trial = replace(make.trial(loss="own", **split), sources={"losses own": source})
    return make.record(trial, [make.score("a", dice)], finished=finished)


def test_the_last_one_stands_for_those_before(sweep, make):
    made = [
        _made(make, digest, f"2026-11-0{day}T00:00:00+00:00", day / 10)
        for digest, day in (("b", 3), ("a", 5), ("c", 1))
    ]
    (table,) = comparison_tables(frames(sweep(*made), "nan_worst"))
    assert table.rows[0].dice.mean == 0.5
    assert table.rows[0].seeds == 1
    assert any("2 earlier records of these trials" in line for line in remarks(table))


def test_other_data_is_another_trial_but_in_a_fold(make):
    def kept(**split):
        one, other = (_made(make, "a", f"2026-11-0{day}", 0.5, digest=f"content:{day}", **split) for day in (1, 2))
        return latest({"m/one": one, "m/other": other, "n/one": one})

    records, replaced = kept()
    assert (len(records), replaced) == (3, {})
    records, replaced = kept(folds=3, fold=1)
    assert (list(records), replaced) == (["m/other", "n/one"], {"m/other": 1})


def test_a_child_of_a_trial_that_was_replaced_is_replaced_by_that_of_the_later_one(make):
    records = {}
    for digest, day in (("b", 3), ("a", 1)):
        parent = _made(make, digest, f"2026-11-0{day}", 0.5)
        derivation = Derivation("channels", parent.trial.id, parent.trial.model, {"share": 0.5})
        child = replace(parent, trial=replace(parent.trial, derivation=derivation), finished=f"2026-11-0{day + 1}")
        records |= {f"m/{record.trial.id}": record for record in (parent, child)}
    assert len(records) == 4
    kept, replaced = latest(records)
    assert list(kept) == list(records)[:2]
    assert list(replaced.values()) == [1, 1]


def test_records_of_the_older_identity_are_told(sweep, make):
    first = replace(make.record(make.trial(), [make.score("a", 0.8)]), schema=3)
    second = make.record(make.trial(seed=1), [make.score("a", 0.8)])
    (table,) = comparison_tables(frames(sweep(first, second), "nan_worst"))
    assert any("1 of 2 records were made under the older identity" in line for line in remarks(table))
    (table,) = comparison_tables(frames(sweep(second, name="later"), "nan_worst"))
    assert not any("older identity" in line for line in remarks(table))


def test_a_sweep_that_names_the_device_of_before_reports_each_seed_once(make):
    before = make.record(make.trial(), [make.score("a", 0.8)], finished="2026-11-01")
    named = make.record(replace(make.trial(), device="cpu"), [make.score("a", 0.8)], finished="2026-11-02")
    assert named.trial.id != before.trial.id
    records, replaced = latest({"m/before": before, "m/named": named})
    assert (list(records), replaced) == (["m/named"], {"m/named": 1})
    other = replace(named, trial=replace(named.trial, backend="jax"))
    assert len(latest({"m/before": before, "m/other": other})[0]) == 2
