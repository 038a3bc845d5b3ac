"""Studies that run, are killed, grow, fail in part, tune, and peek."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from small_study import small

from infofuse.errors import InfofuseError
from infofuse.files import read_json
from infofuse.study.pool import Standing
from infofuse.study.report import report
from infofuse.study.report.content import tables
from infofuse.study.results import open_results
from infofuse.study.runner import run_study
from infofuse.study.spec import resolve_study
from infofuse.study.table import to_csv, to_latex, to_markdown


def compared(out: Path) -> dict[str, str]:
    """The tables as they are written, but that of costs, which holds times."""
    made = tables(open_results(out))
    return {t.name: to_csv(t) + to_markdown(t) + to_latex(t) for t in made if t.name != "costs"}


def start(file: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infofuse", "study", file, "--out", out, "--jobs", "2"]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def kill_when(process: subprocess.Popen[bytes], out: Path, sign: str) -> None:
    """kill -9 the study, and nothing else, as soon as there is such a file."""
    deadline = time.monotonic() + 300
    while not list(out.glob(sign)):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(1800)  # ten processes import torch: minutes, where others use the machine too
def test_killed_and_resumed_gives_the_same_tables(made: Path, tmp_path: Path) -> None:
    declared = small(made)
    declared["train"] |= {"epochs": 4}
    (tmp_path / "study.toml").write_text(tomli_w.dumps(declared))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run_study(resolve_study(declared), whole, jobs=0) == {}
    kill_when(start(tmp_path / "study.toml", broken), broken, "cells/*/*/*/seed-*/history.json")
    kill_when(start(tmp_path / "study.toml", broken), broken, "cells/*/*/*/curves.png")
    ended = [f.with_name("metrics.json") for f in broken.glob("cells/*/*/*/curves.png")]
    early = {f: f.stat().st_mtime_ns for f in ended}
    assert 1 <= len(early) < 4
    last = start(tmp_path / "study.toml", broken)
    said = last.communicate()[1].decode()
    assert last.returncode == 0, said
    assert "[4/4]" in said
    assert "left" in said
    assert all(f.stat().st_mtime_ns == before for f, before in early.items())  # none was repeated
    again = compared(whole)
    assert compared(broken) == again
    for name in set(again) - {"cells"}:
        written = broken / "report" / "tables" / name
        three = (written.with_suffix(f".{kind}").read_text() for kind in ("csv", "md", "tex"))
        assert "".join(three) == again[name]


def test_a_worker_ends_with_its_study(made: Path, tmp_path: Path) -> None:
    """Whoever holds the other end of a worker's standard input keeps it alive."""
    never = tmp_path / "recipe.toml"
    os.mkfifo(never)  # nobody writes: reading it would take for ever
    job = {"do": "train", "recipe": str(never), "out": str(tmp_path / "o"), "test": True, "log": ""}
    worker = subprocess.Popen(
        [sys.executable, "-m", "infofuse.study.worker", json.dumps(job)], stdin=subprocess.PIPE
    )
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(120) == 3


def test_what_is_finished_is_kept_and_a_study_may_grow(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[Standing] = []
    run_study(resolve_study(small(made, seeds=[1])), out, jobs=0)
    before = {f: f.stat().st_mtime_ns for f in out.glob("cells/**/metrics.json")}
    run_study(resolve_study(small(made)), out, jobs=0, watch=seen.append)
    assert len(before) == 4
    assert all(f.stat().st_mtime_ns == then for f, then in before.items())
    assert [s.ended.job.name for s in seen if s.ended] == ["made/late/2", "made/early/2"]
    assert seen[-1].seconds_left == 0
    changed = small(made, train={"epochs": 3, "batch_size": 16})
    declared = (out / "study.toml").read_text()
    with pytest.raises(InfofuseError, match=r"train\.epochs is 2 there and 3 here"):
        run_study(resolve_study(changed), out, jobs=0)
    assert (out / "study.toml").read_text() == declared  # of the cells that are there
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "file").write_text("")
    with pytest.raises(InfofuseError, match="holds no study"):
        run_study(resolve_study(small(made)), tmp_path / "else", jobs=0)


def test_one_cell_that_fails_stops_no_other(made: Path, tmp_path: Path) -> None:
    declared = small(made, seeds=[1])
    declared["rows"]["broken"] = {"paper": "lf_dnn", "train": {"lr": 1e30, "clip": 1e30}}
    declared["rows"]["odd"] = {"paper": "lf_dnn", "model": {"modalities": ["smell"]}}
    failed = run_study(resolve_study(declared), tmp_path / "out", jobs=0)
    assert set(failed) >= {"made/odd/1"}
    assert "no modality 'smell'" in failed["made/odd/1"]
    results = open_results(tmp_path / "out")
    assert {s for _, s, _ in results.found} >= {"late", "early"}
    shown = {table.name: table for table in tables(results)}
    assert ("made/odd/1", failed["made/odd/1"]) in shown["failures"].rows


def test_data_that_was_moved_are_found_where_they_are_now(made: Path, tmp_path: Path) -> None:
    for name in ("here", "there"):
        shutil.copytree(made, tmp_path / name)
    out, declared = tmp_path / "out", small(made, seeds=[1])
    declared["data"]["made"] = {"path": str(tmp_path / "here")}
    assert run_study(resolve_study(declared), out, jobs=0) == {}
    shutil.rmtree(tmp_path / "here")
    declared["data"]["made"] = {"path": str(tmp_path / "there"), "title": "Moved"}
    assert run_study(resolve_study(declared | {"seeds": [1, 2]}), out, jobs=0) == {}
    assert open_results(out).surveys["made"].title == "Moved"
    assert len(open_results(out).found) == 4


def test_a_row_that_cannot_be_tuned_stops_no_other(made: Path, tmp_path: Path) -> None:
    declared = small(made, seeds=[1], tune={"trials": 1, "seed": 7})
    declared["rows"]["odd"] = {"paper": "lf_dnn", "model": {"modalities": ["smell"]}}
    for row in declared["rows"].values():
        row["trials"] = [["train.lr=1e-2"]]
    failed = run_study(resolve_study(declared), tmp_path / "out", jobs=0)
    assert set(failed) == {"made/odd/trial-0", "made/odd/1"}
    assert "no trial of made/odd ended" in failed["made/odd/1"]
    assert {s for _, s, _ in open_results(tmp_path / "out").found} == {"late", "early"}


def test_a_wrong_key_is_refused_before_anything_runs(made: Path, tmp_path: Path) -> None:
    declared = small(made)
    declared["rows"]["early"]["model"] = {"fusoin": 8}
    with pytest.raises(InfofuseError, match=r"did you mean 'model\.fusion'"):
        run_study(resolve_study(declared), tmp_path / "out", jobs=0)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_done_is_refused_before_anything_is_trained(
    made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(InfofuseError, match="unknown tracker 'foo'"):
        run_study(resolve_study(small(made)), out, jobs=0, log="foo")
    assert not out.exists()
    with pytest.raises(InfofuseError, match="they have, metric = one of mae, corr, acc7"):
        run_study(resolve_study(small(made, metric="accuracy")), out, jobs=0)
    assert not (out / "cells").exists()


def test_tuning_looks_at_validation_only(made: Path, tmp_path: Path) -> None:
    declared = small(made, seeds=[1], tune={"trials": 2, "seed": 7})
    for row in declared["rows"].values():
        row["trials"] = [["train.lr=1e-9"], ["train.lr=1e-2"]]
    out = tmp_path / "out"
    run_study(resolve_study(declared), out, jobs=0)
    tried = sorted(out.glob("trials/made/late/trial-*/seed-7"))
    assert len(tried) == 2
    assert not [folder for folder in tried if (folder / "openings.json").exists()]
    scores = [read_json(f / "metrics.json")["valid"]["mae"] for f in tried]
    rate = read_json(out / "cells/made/late/1/run.json")["identity"]["train"]["lr"]
    assert rate == (1e-9, 1e-2)[int(np.argmin(scores))]
    assert {t.name for t in tables(open_results(out))} >= {"trials"}


def test_release_peeks_and_says_so_everywhere(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_study(resolve_study(small(made, seeds=[1], protocol="release")), out, jobs=0)
    results = open_results(out)
    page = out / "report.html"
    report(results, page)
    assert "chosen by the test split" in page.read_text()
    assert all(t.title.startswith("[release]") for t in tables(results))
    for file in (out / "report" / "tables").glob("*.md"):
        assert "chosen by the test split" in file.read_text()
    (seed,) = results.runs(results.places[0], "late")
    facts = read_json(seed / "metrics.json")
    history = read_json(seed / "history.json")
    assert facts["epoch"] == 1 + int(np.argmin([e["test_mae"] for e in history]))
    assert "valid" not in facts
    assert os.listdir(seed / "checkpoint")
    declared = (out / "study.toml").read_text()
    with pytest.raises(InfofuseError, match="is by protocol 'release', and this one by 'honest'"):
        run_study(resolve_study(small(made, seeds=[1])), out, jobs=0)
    assert (out / "study.toml").read_text() == declared
    (out / "study.toml").write_text(declared.replace('"release"', '"honest"'))
    assert open_results(out).peeked  # the cells themselves say so
