"""A trial is claimed by one driver at a time, and one that died loses it."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from unetbench.benchmark.records.claims import Claims
from unetbench.core.errors import StoreError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "claims/desk"


@pytest.fixture
def driver(folder):
    """Makes the claims of a driver; they are dropped at the end."""
    made = []

    def make(**options):
        made.append(Claims(folder, **options))
        return made[-1]

    yield make
    for claims in made:
        claims.__exit__()


def _age(folder, key, seconds, **changed):
    """Make a claim look older, and its driver another."""
    (file,) = folder.glob(f"{key}.*")
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changed}), "utf-8")
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_what_one_has_no_other_gets_until_it_is_dropped(driver):
    one, other = driver(), driver()
    assert one.take("a")
    assert one.take("a")
    assert not other.take("a")
    assert other.take("b")
    assert other.others()["a"].process == os.getpid()
    assert list(one.others()) == ["b"]
    one.drop("a")
    assert other.take("a")
    assert not one.holds("a")


def test_nothing_is_left_behind(driver, folder):
    with driver() as one:
        one.take("a")
        one.take("b")
        one.drop("b")
    assert list(folder.iterdir()) == []


def test_of_many_at_once_one_gets_a_trial(folder):
    """Twelve drivers, each of its own thread, reach for the same 50 trials at the same time."""
    drivers, won, start = [Claims(folder) for _ in range(12)], [], threading.Barrier(12)

    def reach(claims):
        start.wait()
        won.extend(key for key in map(str, range(50)) if claims.take(key))

    threads = [threading.Thread(target=reach, args=(claims,)) for claims in drivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=int) == [str(number) for number in range(50)]
    for claims in drivers:
        claims.__exit__()


def test_of_many_at_once_one_takes_a_dead_ones_trial_over(driver, folder):
    driver().take("a")
    _age(folder, "a", 1000, host="far away")
    drivers = [driver() for _ in range(8)]
    assert sum(claims.take("a") for claims in drivers) == 1


def test_a_driver_without_a_sign_of_life_loses_its_trial_and_notices(driver, folder):
    one, other = driver(), driver()
    one.take("a")
    _age(folder, "a", 100, host="far away")
    assert not other.take("a")
    _age(folder, "a", 200)
    assert other.take("a")
    one.drop("a")  # it comes back, and must not take the claim of the other one away
    assert other.holds("a")
    assert not driver().take("a")


def test_who_comes_back_neither_keeps_nor_drops_the_claim_that_has_its_name_by_now(driver, folder):
    late, second, third = driver(), driver(), driver()
    late.take("a")
    _age(folder, "a", 1000, host="far away")
    assert second.take("a")
    second.drop("a")
    assert third.take("a")
    (file,) = folder.glob("a.*")
    assert file.name == "a.0"
    then = file.stat().st_mtime - 100
    os.utime(file, (then, then))
    late.tell("a", "epoch 3")
    late._give_sign("a", file)
    assert file.stat().st_mtime == then
    late.drop("a")
    assert third.holds("a")


def test_a_claim_above_one_that_lives_is_withdrawn(driver, folder, monkeypatch):
    """As when a driver comes back in the moment in which it is taken for dead."""
    one, other = driver(), driver()
    one.take("a")
    _age(folder, "a", 1000, host="far away")
    made = other._made

    def comes_back(file):
        os.utime(folder / "a.0")
        return made(file)

    monkeypatch.setattr(other, "_made", comes_back)
    assert not other.take("a")
    assert [file.name for file in folder.iterdir()] == ["a.0"]


def test_a_claim_that_is_half_ours_already_is_ours(driver, folder):
    """NFS may say that a name is there because it was made by the very call, whose answer was lost."""
    one = driver()
    link = os.link

    def answers_late(*words):
        link(*words)
        raise FileExistsError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", answers_late)
        assert one.take("a")
    assert one.holds("a")
    one.drop("a")
    assert not list(folder.iterdir())


def test_a_claim_is_kept_fresh(driver, folder):
    one, other = driver(beat_s=0.05), driver(stale_s=0.5)
    one.take("a")
    _age(folder, "a", 0, host="far away")
    time.sleep(1)
    assert not other.take("a")


def test_a_process_of_this_host_that_was_killed_holds_nothing(driver, folder):
    code = (
        "import os, signal, sys; from pathlib import Path; from unetbench.benchmark.records.claims import Claims; "
        "Claims(Path(sys.argv[1])).take('a'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert len(list(folder.iterdir())) == 1
    (claim,) = driver().all()
    assert not claim.alive
    assert driver().take("a")


def test_a_number_that_another_process_got_is_not_taken_for_the_first(driver, folder):
    one = driver()
    one.take("a")
    _age(folder, "a", 0, begun="1")
    assert driver().take("a")


def test_a_process_elsewhere_is_not_looked_for_here(driver, folder):
    one = driver()
    one.take("a")
    _age(folder, "a", 0, process=2**22 + 1, world="another boot")
    assert not driver().take("a")


def test_claims_say_who_and_where(driver, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "81")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    one = driver()
    one.take("b")
    one.take("a")
    first, second = driver().all()
    assert not one.others()
    assert (first.key, second.key, first.job, first.alive) == ("a", "b", "81_3", True)
    assert first.quiet_s < 10
    assert first.since[:2] == "20"


def test_where_there_are_no_links_a_claim_is_still_of_one(driver, monkeypatch):
    def none(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    assert driver().take("a")
    assert not driver().take("a")


def test_half_a_claim_is_one(driver, folder):
    folder.mkdir(parents=True)
    (folder / "a.0").write_text("", "utf-8")
    assert not driver().take("a")
    then = time.time() - 1000
    os.utime(folder / "a.0", (then, then))
    assert driver().take("a")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, driver, folder):
    folder.parent.write_text("a file", "utf-8")
    with pytest.raises(StoreError, match=r"claims/desk: Not a directory; trials cannot be claimed there"):
        driver().take("a")
