from dataclasses import replace

from unetbench.benchmark.report.tables.apart import told_apart


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
