"""Running a study: look at the data, tune if asked to, train every cell, analyse.

Everything that is done is kept in the study's folder, so that the same command goes on after a
kill:

study.toml               the study, every default resolved
data/PLACE.json          what is known of a data set: audit, floor
recipes/…                the recipe of each cell
trials/…, cells/…        an ordinary run each
analysis/PLACE/SYSTEM.json   robustness and dependence
failures.json            cells that could not be run, and why
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from infofuse.config import from_table
from infofuse.errors import InfofuseError
from infofuse.files import read_json, write_json, write_text
from infofuse.study.grid import Cell, cells, places, recipe_of, systems, trials, write_recipe
from infofuse.study.pool import Job, Watch, run_all
from infofuse.study.spec import Study, resolve_study
from infofuse.study.survey import Survey, survey
from infofuse.training.recipe import read_recipe
from infofuse.training.run import identity_of, refuse_another
from infofuse.training.tracking import tracker

STUDY, FAILURES = "study.toml", "failures.json"


def run_study(
    study: Study,
    out: str | Path,
    jobs: int = 1,
    watch: Watch = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    log: str = "",
) -> dict[str, str]:
    """Run what is not finished, and return why which cells failed, by name.

    jobs: processes at once, one torch thread each; 0 for this process. say: is told what is being
    looked at, and what an audit has against a data set.

    Raises InfofuseError if the folder holds something else, or runs of another study, and if no
    data set has the study's metric.
    """
    out = Path(out)
    tracker(log, out)  # refuses one that is not there before anything is done
    for cell in (*trials(study), *cells(study)):
        recipe_of(cell, "given", cell.trial)  # refuses a wrong key before anything is done
    _claim(study, out)
    surveys = _surveys(study, out, say)
    known = dict.fromkeys(metric for one in surveys.values() for metric in one.floor)
    if study.metric not in known:
        raise InfofuseError(
            f"no data set of the study has the metric {study.metric!r}: name one that they have, "
            f"metric = one of {', '.join(known)}"
        )
    first = list(trials(study)) or cells(study)
    training, untuned = _training(study, out, surveys, first, log)
    write_text(out / STUDY, study.to_toml())  # nothing that is there is of another study
    failed = run_all(training, jobs, watch)
    if study.tune:
        training, untuned = _training(study, out, surveys, cells(study), log)
        failed += run_all(training, jobs, watch)
    if study.analyse:
        failed += run_all(_analyses(study, out, surveys), jobs, watch)
    found = {ended.job.name: ended.failure for ended in failed} | untuned
    write_json(out / FAILURES, found)
    return found


def open_study(out: Path) -> tuple[Study, dict[str, Survey]]:
    """The study of a folder, and what is known of its data sets by now.

    Raises InfofuseError if the folder holds no study.
    """
    if not (out / STUDY).is_file():
        raise InfofuseError(f"{out} holds no study: give the folder that `infofuse study` wrote")
    study = resolve_study(read_recipe(out / STUDY))
    records = {p.name: out / "data" / f"{p.name}.json" for p in places(study)}
    return study, {
        name: from_table(Survey, read_json(path), name)
        for name, path in records.items()
        if path.is_file()
    }


def _claim(study: Study, out: Path) -> None:
    """Make a new folder this study's own. One that is there is left as it is until all of its
    cells are seen to be of this study, which may have grown: each guards what it is itself.
    """
    if (out / STUDY).is_file():
        before = resolve_study(read_recipe(out / STUDY)).protocol
        if before != study.protocol:
            raise InfofuseError(
                f"the study in {out} is by protocol {before!r}, and this one by "
                f"{study.protocol!r}: choose another --out"
            )
        return
    if out.exists() and any(out.iterdir()):
        raise InfofuseError(f"{out} exists and holds no study: choose another --out")
    write_text(out / STUDY, study.to_toml())


def _surveys(study: Study, out: Path, say: Callable[[str], None]) -> dict[str, Survey]:
    found = {}
    for place in places(study):
        say(f"{place.name}: reading and auditing")
        found[place.name] = one = survey(place, study.data[place.source], out)
        for finding in one.findings:
            if finding["severity"] == "error":
                say(f"{place.name}: {finding['check']}: {finding['what']}")
    return found


def _training(
    study: Study, out: Path, surveys: dict[str, Survey], every: list[Cell], log: str
) -> tuple[list[Job], dict[str, str]]:
    """The cells as jobs, and why the choices of the others are not known, by name."""
    jobs, untuned = [], {}
    for cell in every:
        data = surveys[cell.place.name]
        try:
            trial = chosen_trial(study, cell, out, data)
        except InfofuseError as error:
            untuned[cell.name] = str(error)
            continue
        jobs.append(_train_job(out, data, cell, trial, log))
    return jobs, untuned


def _train_job(out: Path, data: Survey, cell: Cell, trial: int | None, log: str) -> Job:
    recipe = recipe_of(cell, data.path, trial)
    before = cell.finished(out)
    if before is not None:
        refuse_another(cell.folder(out), identity_of(recipe, data.fingerprint))
    facts = {
        "do": "train",
        "recipe": str(write_recipe(cell, out, recipe)),
        "out": str(cell.folder(out)),
        "test": cell.trial is None,
        "log": log,
    }
    seconds = before["seconds"] if before else None
    kind = f"{cell.place.name}/{cell.system.name}"
    return Job(cell.name, kind, facts, before is not None, seconds)


def chosen_trial(study: Study, cell: Cell, out: Path, data: Survey) -> int | None:
    """The trial whose choices a cell takes: its own if it is one, or the best by validation.

    The first of equals. Raises InfofuseError if no trial of the system ended.
    """
    if study.tune is None or cell.trial is not None:
        return cell.trial
    regrets = {}
    for number in range(study.tune.trials):
        tried = Cell(cell.place, cell.system, study.tune.seed, number).finished(out)
        if tried is not None:
            regrets[number] = data.data.task.regret(tried["valid"])
    if not regrets:
        raise InfofuseError(f"no trial of {cell.place.name}/{cell.system.name} ended: see {out}")
    return min(regrets, key=regrets.__getitem__)


def _analyses(study: Study, out: Path, surveys: dict[str, Survey]) -> list[Job]:
    """A job for each system on each data set, over the seeds that ended."""
    found = []
    for place in places(study):
        for system in systems(study):
            runs = [
                cell.folder(out)
                for cell in (Cell(place, system, seed) for seed in study.seeds)
                if place.source in system.data and cell.finished(out)
            ]
            if runs:
                found.append(_analysis(place.name, system.name, surveys[place.name], runs, out))
    return found


def _analysis(place: str, system: str, data: Survey, runs: list[Path], out: Path) -> Job:
    path = out / "analysis" / place / f"{system}.json"
    done = path.is_file() and read_json(path)["runs"] == [run.name for run in runs]
    facts: dict[str, Any] = {
        "do": "analyse",
        "data": data.path,
        "runs": [str(run) for run in runs],
        "out": str(path),
    }
    return Job(f"{place}/{system}: analysis", "analysis", facts, done)
