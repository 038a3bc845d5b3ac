"""A search finds the same trials however it is run, and however often it is killed."""

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from searching import EPOCHS, SPACE, TRIALS, backwards, essence, here, search, tables

from helpers import Killed
from infofuse.cli.tune import report
from infofuse.data import open_corpus
from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.training import resolve
from infofuse.training.recipe import Recipe, read_recipe
from infofuse.tuning import tune
from infofuse.tuning.engines import local
from infofuse.tuning.space import space_from
from infofuse.tuning.trial import Job, Result, hopeless, run_trial


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """A search that nothing disturbed, and its folder."""
    out = tmp_path_factory.mktemp("whole") / "search"
    return search(data, out), out


def test_the_best_trial_is_the_recipe_that_is_kept(whole: tuple[dict[str, Any], Path]) -> None:
    found, out = whole
    assert found == read_json(out / "tuning.json")
    finished = [row for row in found["trials"] if row["state"] == "complete"]
    best = min(finished, key=lambda row: row["regret"])
    assert found["best"] == best
    assert best["regret"] == pytest.approx(best["valid"]["mae"])
    recipe: Recipe = resolve(read_recipe(out / "best.toml"))
    assert recipe.train.lr == best["choices"]["train.lr"]
    assert recipe.model.hidden == best["choices"]["model.hidden"]
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == list(range(TRIALS))
    assert (out / "tuning.png").stat().st_size > 5000


def test_the_budget_is_kept_and_said(whole: tuple[dict[str, Any], Path]) -> None:
    found, _ = whole
    budget = found["budget"]
    assert budget["trials"] == TRIALS == len(found["trials"])
    assert budget["epochs_at_most"] == TRIALS * EPOCHS
    assert budget["epochs"] == sum(row["epochs"] for row in found["trials"]) <= TRIALS * EPOCHS
    assert budget["complete"] + budget["pruned"] + budget["failed"] == TRIALS
    assert budget["pruned"] > 0  # from the seventh trial on, some are worse than most before
    stopped = [row for row in found["trials"] if row["state"] == "pruned"]
    assert all(row["number"] >= 6 and row["epochs"] < EPOCHS for row in stopped)


def test_what_is_printed_fits_a_terminal(whole: tuple[dict[str, Any], Path]) -> None:
    text = report(whole[0])
    assert max(map(len, text.splitlines())) <= 80
    best = whole[0]["best"]
    assert f"trial {best['number']}: validation regret {best['regret']:.4f}" in text
    assert all(key in text for key in SPACE)


def test_the_storage_holds_every_trial_once(whole: tuple[dict[str, Any], Path]) -> None:
    found, out = whole
    study = optuna.load_study(study_name="tune", storage=f"sqlite:///{out / 'study.db'}")
    assert [t.params for t in study.trials] == [row["choices"] for row in found["trials"]]
    assert study.best_value == found["best"]["regret"]


def test_the_order_in_which_trials_end_changes_nothing(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    assert essence(search(data, tmp_path / "search", backwards)) == essence(whole[0])


def test_stopped_between_any_two_results_it_goes_on_to_the_same(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    def mortal(jobs: Sequence[Job]) -> Iterator[Result]:
        for count, job in enumerate(jobs):
            if count == 2:
                raise Killed
            yield run_trial(job)

    for _ in range(3):
        with pytest.raises(Killed):
            search(data, tmp_path / "search", mortal)
    assert essence(search(data, tmp_path / "search")) == essence(whole[0])
    with pytest.raises(InfofuseError, match=r"from 0 to .* found '-1'"):
        tune(resolve(tables(data)), tmp_path / "other", seed=-1)
    with pytest.raises(InfofuseError, match="another search"):
        tune(resolve(tables(data)), tmp_path / "search", trials=2)


def test_a_search_that_grows_is_the_longer_one(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """Though the last round's first trials are done when its last one is begun."""
    search(data, tmp_path / "search", trials=TRIALS - 1)
    assert essence(search(data, tmp_path / "search")) == essence(whole[0])


def test_an_interrupted_search_may_be_wound_up_with_fewer_trials(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    def mortal(jobs: Sequence[Job]) -> Iterator[Result]:
        for job in jobs:
            if job.number == 4:
                raise Killed
            yield run_trial(job)

    with pytest.raises(Killed):
        search(data, tmp_path / "search", mortal)
    assert essence(search(data, tmp_path / "search", trials=4)) == essence(whole[0])[:4]


def test_more_trials_are_added_to_a_search_that_is_there(data: Path, tmp_path: Path) -> None:
    first = search(data, tmp_path / "search", trials=3)
    more = search(data, tmp_path / "search", trials=4)
    assert essence(more)[:3] == essence(first)
    assert len(more["trials"]) == 4


def test_a_recipe_that_cannot_be_trained_is_a_failed_trial(data: Path, tmp_path: Path) -> None:
    recipe = resolve(tables(data))
    space = space_from({"train.lr": [1e-3, 1e30]}, recipe)
    found = tune(recipe, tmp_path / "s", space=space, trials=6, engine=here)
    failed = [row for row in found["trials"] if row["state"] == "failed"]
    assert failed
    assert all(row["choices"]["train.lr"] == 1e30 for row in failed)
    assert "never a number" in failed[0]["reason"]
    assert found["best"]["choices"]["train.lr"] == 1e-3


def test_hopeless_is_worse_than_the_median_of_those_that_are_done() -> None:
    rivals = tuple({step: 1.0 + place - 0.1 * step for step in (1, 2, 3, 4)} for place in range(5))
    median = {step: 3.0 - 0.1 * step for step in (1, 2, 3, 4)}
    above = {step: value + 0.01 for step, value in median.items()}
    assert hopeless({s: above[s] for s in (1, 2, 3)}, rivals)
    assert not hopeless({s: median[s] - 0.01 for s in (1, 2, 3)}, rivals)
    assert not hopeless({1: above[1]}, rivals)  # too early
    assert not hopeless(above, rivals[:4])  # against too few
    assert not hopeless({**above, 9: 9.0}, rivals)  # no rival came so far


def test_a_killed_worker_is_replaced(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one() -> None:
        while not list(tmp_path.glob("search/trials/0004/seed-*/history.json")):
            time.sleep(0.002)
        workers = multiprocessing.active_children()
        killed.extend(w.pid for w in workers if w.pid)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)

    threading.Thread(target=kill_one, daemon=True).start()
    found = search(data, tmp_path / "search", local(2))
    assert killed
    assert essence(found) == essence(whole[0])


@pytest.mark.slow
def test_kill_9_and_the_same_command_again(
    data: Path, whole: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    import tomli_w

    recipe, out = tmp_path / "recipe.toml", tmp_path / "search"
    tune_table = {"tune": {"trials": TRIALS, "together": 3, "space": SPACE}}
    recipe.write_text(tomli_w.dumps(tables(data) | tune_table))
    words = ["tune", str(recipe), "--out", str(out), "--jobs", "2", "--json"]
    command = [sys.executable, "-m", "infofuse", *words]
    first = subprocess.Popen(command)
    deadline = time.monotonic() + 300
    while not list(out.glob("trials/0003/seed-*/history.json")):
        assert first.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    first.kill()
    first.wait()
    study = optuna.load_study(study_name="tune", storage=f"sqlite:///{out / 'study.db'}")
    assert TrialState.RUNNING in {trial.state for trial in study.trials}
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert '"best"' in again.stdout
    assert essence(read_json(out / "tuning.json")) == essence(whole[0])


def test_it_never_asks_for_the_test_split(data: Path) -> None:
    assert "test" not in open_corpus(data).splits  # and every search above is of this data
