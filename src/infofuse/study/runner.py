"""Running a study: look at the data, tune if asked to, train every cell, analyse.

Everything that is done is kept in the study's folder, so that the same command goes on after a
kill:

study.toml               the study, every default resolved
data/PLACE.json          what is known of a data set: audit, floor
recipes/…                the recipe of each cell
trials/…, cells/…        an ordinary run each
analysis/PLACE/SYSTEM.json   robustness and dependence
kept.jsonl               cells of a record that was given, which are not run again
failures.json            cells that could not be run, and why
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from infofuse.errors import InfofuseError
from infofuse.files import alone, holds_others, read_json, write_json, write_text
from infofuse.study.finished import Finished, analysis_file
from infofuse.study.grid import (
    Cell,
    Place,
    System,
    cells,
    places,
    recipe_of,
    systems,
    trials,
    write_recipe,
)
from infofuse.study.pool import Job, Watch, run_all
from infofuse.study.record import Record, read_record
from infofuse.study.spec import Study, resolve_study
from infofuse.study.survey import Survey, survey
from infofuse.training.recipe import read_recipe
from infofuse.training.run import identity_of, refuse_another
from infofuse.training.tracking import tracker

STUDY, FAILURES, KEPT = "study.toml", "failures.json", "kept.jsonl"


def run_study(
    study: Study,
    out: str | Path,
    jobs: int = 1,
    watch: Watch = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    log: str = "",
    record: Path | None = None,
) -> dict[str, str]:
    """Run what is not finished, and return why which cells failed, by name.

    jobs: processes at once, one torch thread each; 0 for this process. say: is told what is being
    looked at, and what an audit has against a data set. record: cells that were kept before, which
    are not run again (`infofuse.study.record`).

    Raises InfofuseError if the folder holds something else, or runs of another study, if another
    process runs it, and if no data set has the study's metric.
    """
    out = Path(out)
    if record is not None:
        read_record(record)  # refuses a damaged one before anything is done
    tracker(log)  # refuses one that is not there before anything is done
    for cell in (*trials(study), *cells(study)):
        recipe_of(cell, "given", cell.trial)  # refuses a wrong key before anything is done
    with alone(out):
        return _run_study(study, out, jobs, watch, say, log, record)


def _run_study(
    study: Study,
    out: Path,
    jobs: int,
    watch: Watch,
    say: Callable[[str], None],
    log: str,
    record: Path | None,
) -> dict[str, str]:
    """`run_study`, alone in its folder."""
    _claim(study, out)
    surveys = _surveys(study, out, say)
    known = dict.fromkeys(metric for one in surveys.values() for metric in one.floor)
    if study.metric not in known:
        raise InfofuseError(
            f"no data set of the study has the metric {study.metric!r}: name one that they have, "
            f"metric = one of {', '.join(known)}"
        )
    if record is not None and record.is_file():
        write_text(out / KEPT, record.read_text(encoding="utf-8"))
    ended = Finished(study, surveys, kept_record(out), out)
    first = list(trials(study)) or cells(study)
    training, untuned = _training(ended, out, first, log)
    write_text(out / STUDY, study.to_toml())  # nothing that is there is of another study
    _say_what_changed(ended, say)
    failed = run_all(training, jobs, watch)
    if study.tune:
        training, untuned = _training(ended, out, cells(study), log)
        failed += run_all(training, jobs, watch)
    if study.analyse:
        failed += run_all(_analyses(ended, out), jobs, watch)
    found = {end.job.name: end.failure for end in failed} | untuned
    write_json(out / FAILURES, found)
    return found


def kept_record(out: Path) -> Record:
    """The record that a study's folder was given."""
    return read_record(out / KEPT)


def _say_what_changed(ended: Finished, say: Callable[[str], None]) -> None:
    """Where a record holds cells that this study has no use for, as they are of other runs."""
    of_this = {
        line["identity"]
        for cell in (*trials(ended.study), *cells(ended.study))
        if (line := ended.line(cell))
    }
    others = sum(identity not in of_this for identity, _ in ended.record.cells)
    if others:
        say(f"{others} cells of the record are of other recipes or data, and are left out")


def open_study(out: Path) -> tuple[Study, dict[str, Survey]]:
    """The study of a folder, and what is known of its data sets by now.

    Raises InfofuseError if the folder holds no study.
    """
    if not (out / STUDY).is_file():
        raise InfofuseError(f"{out} holds no study: give the folder that `infofuse study` wrote")
    study = resolve_study(read_recipe(out / STUDY))
    records = {p.name: out / "data" / f"{p.name}.json" for p in places(study)}
    return study, {
        name: Survey.read(read_json(path)) for name, path in records.items() if path.is_file()
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
    if out.exists() and holds_others(out):
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
    ended: Finished, out: Path, every: list[Cell], log: str
) -> tuple[list[Job], dict[str, str]]:
    """The cells as jobs, and why the choices of the others are not known, by name.

    Cells that are the same by their recipe are one job.
    """
    jobs, untuned, taken = [], {}, set()
    for cell in every:
        try:
            same = (ended.identity(cell), cell.seed)
        except InfofuseError as error:
            untuned[cell.name] = f"{error}: see {out}"
            continue
        if cell.trial is not None or same not in taken:
            taken.add(same)
            jobs.append(_train_job(ended, out, cell, log))
    return jobs, untuned


def _train_job(ended: Finished, out: Path, cell: Cell, log: str) -> Job:
    data = ended.surveys[cell.place.name]
    recipe = recipe_of(cell, data.path, ended.trial(cell))
    if cell.finished(out) is not None:
        refuse_another(cell.folder(out), identity_of(recipe, data.fingerprint))
    before = ended.facts(cell)
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


def _analyses(ended: Finished, out: Path) -> list[Job]:
    """A job for each system on each data set whose runs are there."""
    found = []
    for place in places(ended.study):
        for system in systems(ended.study):
            runs = [
                cell.folder(out)
                for cell in (Cell(place, system, seed) for seed in ended.study.seeds)
                if place.source in system.data and cell.finished(out)
            ]
            if runs:
                found.append(_analysis(ended, place, system, runs, out))
    return found


def _analysis(ended: Finished, place: Place, system: System, runs: list[Path], out: Path) -> Job:
    path = analysis_file(out, place, system)
    done = path.is_file() and read_json(path)["runs"] == [run.name for run in runs]
    facts: dict[str, Any] = {
        "do": "analyse",
        "data": ended.surveys[place.name].path,
        "split": ended.study.analyse_on,
        "runs": [str(run) for run in runs],
        "out": str(path),
    }
    return Job(f"{place.name}/{system.name}: analysis", "analysis", facts, done)
