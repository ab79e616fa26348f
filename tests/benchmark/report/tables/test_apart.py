from dataclasses import replace

from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.report.frame import table_key
from unetbench.benchmark.report.tables.apart import is_update, told_apart
from unetbench.core.record import Record
from unetbench.core.trial import Choice


def test_one_table_needs_no_words(make):
    assert told_apart([("a", make.trial())]) == [""]


def test_what_differs_in_recipe_and_split_is_told_and_nothing_else(make):
    one = make.trial(test=0.2)
    two = replace(one, recipe=replace(one.recipe, epochs=9, patch=(64, 64)), split={**one.split, "test": 0.3})
    assert told_apart([("a", one), ("a", two), ("b", two)]) == [
        "split test 0.2, patch 32×32, epochs 3",
        "split test 0.3, patch 64×64, epochs 9",
        "",
    ]


def test_an_option_that_only_one_split_has_is_none_in_the_other(make):
    assert told_apart([("a", make.trial(folds=5)), ("a", make.trial())]) == ["split folds 5", "split folds none"]


def test_data_that_changed_is_told_by_the_digest_where_the_rest_is_the_same(make):
    one, two = make.trial(digest="0123456789"), make.trial(digest="abcdefabcd")
    longer = replace(two, recipe=replace(two.recipe, epochs=9))
    assert told_apart([("a", one), ("a", two), ("a", longer)]) == [
        "epochs 3, data 01234567",
        "epochs 3, data abcdefab",
        "epochs 9",
    ]


def test_digests_of_contents_differ_behind_their_prefix(make):
    one, two = make.trial(digest="content:0123456789"), make.trial(digest="content:abcdefabcd")
    assert told_apart([("a", one), ("a", two)]) == ["data 01234567", "data abcdefab"]


def test_updates_with_other_new_data_have_tables_of_their_own_and_are_no_stages(make):
    plain = make.trial()
    arrived = {"by": "stratum", "batches": ["first", "update 1"]}
    stage = replace(plain, dataset=Choice("cells", {"arrived": arrived}))
    later = [[{"name": "cells", "options": {"seed": seed}, "split": {}}] for seed in (1, 2)]
    updates = [replace(plain, dataset=Choice("cells", {"arrived": arrived, "later": own})) for own in later]
    trials = [replace(plain, dataset=Choice("cells")), stage, *updates]
    told = told_apart([("cells", trial) for trial in trials])
    assert told[:2] == ["", "in batches"]
    assert all(text.startswith("updated, data ") for text in told[2:])
    keys = {table_key(Record(trial, "done"), "desk") for trial in trials}
    assert len(keys) == len(set(told)) == 4
    moved = replace(updates[0], seed=7, dataset=Choice("cells", {"arrived": {**arrived, "keep": 4}, "later": later[0]}))
    assert table_key(Record(moved, "done"), "desk") in keys  # another method and seed, the same test cases
    assert [is_update(trial) for trial in trials] == [False, False, True, True]
    names = TrialNames(trials)
    assert [names[trial].dataset for trial in trials] == ["cells"] * 4
    assert names[updates[0]].model.endswith(", first → update 1")
