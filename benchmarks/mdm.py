#!/usr/bin/env python3
"""MDM's penalties on several backbones: real CMU-MOSI, POM, and planted data; five seeds.

    python benchmarks/mdm.py planted                a generated corpus in data/planted
    python benchmarks/mdm.py tune --jobs 2          weights, on validation alone
    python benchmarks/mdm.py run --jobs 2           goes on where it stopped
    python benchmarks/mdm.py robustness             retention of the runs that are still there
    python benchmarks/mdm.py page                   write the results page

Each cell is an ordinary `infofuse train recipes/mosi/<backbone>.toml … --set plus.mdm.penalty=…`.
Words are read by the frozen MiniLM, whose states are computed once. `tune` trains one seed that
is not among the five, three times for every backbone and penalty: three weights of the penalty,
and for no penalty three learning rates; the best validation MAE decides, and the test split stays
shut. POM comes from `python benchmarks/backbones.py pom`.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np
from scipy import stats

from grid import (
    MOSI_METRICS,
    ROOT,
    SEEDS,
    Grid,
    number,
    seconds_an_epoch,
    spread,
    table,
)
from infofuse.metrics import SHORT

GRID = Grid("mdm_mosi", runs="mdm")
TUNING = Grid("mdm_mosi/tuning", runs="mdm-tuning")
TUNING_SEED = 1
DATA = {
    "bclstm": "data/mosi_bclstm.pkl",
    "official": "data/mosi_official.pkl",
    "pom": "data/pom",
    "planted": "data/planted",
}
BACKBONES = ("ef_lstm", "mfn", "lmf", "mag", "lf_dnn")
PENALTIES = ("none", "kl", "f", "wasserstein")
WEIGHTS, RATES = (0.01, 0.1, 1.0), (0.5, 1.0, 2.0)
METRIC = {"pom": ("mae", "corr", "ccc")}


def systems(data: str) -> Iterator[tuple[str, str]]:
    """Backbone and penalty. MAG changes the states of words, of which POM has none."""
    for backbone in BACKBONES:
        if (data, backbone) != ("pom", "mag"):
            yield from ((backbone, penalty) for penalty in PENALTIES)


def words(data: str, backbone: str, penalty: str, dial: float) -> list[str]:
    """What `infofuse train` is given. dial: the penalty's weight, or a factor of the rate."""
    sets = ["model.freeze_text=true", "train.epochs=40", "train.patience=8"]
    if penalty == "none":
        sets.append(f"train.lr={dial * rate(backbone):g}")
    else:
        sets += [f"plus.mdm.penalty={penalty}", f"plus.mdm.weight={dial:g}"]
    recipe = f"recipes/mosi/{backbone}.toml"
    return [recipe, "--data", DATA[data], *(word for key in sets for word in ("--set", key))]


def rate(backbone: str) -> float:
    import tomllib

    recipe = tomllib.loads((ROOT / "recipes" / "mosi" / f"{backbone}.toml").read_text())
    return recipe["train"]["lr"]


def dials(penalty: str) -> Sequence[float]:
    return RATES if penalty == "none" else WEIGHTS


def trial(backbone: str, penalty: str, dial: float) -> str:
    return f"{backbone}-{penalty}-{dial:g}"


def tune(jobs: int) -> None:
    """Three trials for every backbone and penalty on the trimodal split, never tested."""
    named = {trial(b, p, d): (b, p, d) for b, p in systems("bclstm") for d in dials(p)}
    TUNING.run(
        [("bclstm", name, TUNING_SEED) for name in named],
        lambda data, name: [*words(data, *named[name]), "--no-test"],
        jobs,
    )


def chosen(backbone: str, penalty: str) -> float | None:
    """The dial of the least validation MAE; None before tuning."""
    found = {
        dial: measured["valid"]["mae"]
        for dial in dials(penalty)
        if (measured := TUNING.measured("bclstm", trial(backbone, penalty, dial), TUNING_SEED))
    }
    return min(found, key=lambda dial: found[dial]) if found else None


def run(jobs: int) -> None:
    """All cells whose dial was chosen, the trimodal split first."""
    named = {f"{b}-{p}": (b, p, d) for b, p in systems("bclstm") if (d := chosen(b, p)) is not None}
    cells = [(data, f"{b}-{p}", s) for data in DATA for s in SEEDS for b, p in systems(data)]
    GRID.run(
        [cell for cell in cells if cell[1] in named],
        lambda data, name: words(data, *named[name]),
        jobs,
    )


def planted() -> None:
    """Redundant, unique and synergistic information in known shares, in data/planted."""
    from infofuse import synthesize
    from infofuse.data import write_store

    write_store(
        synthesize("demo", 7, ["train=1200", "valid=200", "test=600"]), ROOT / "data/planted"
    )


def robustness() -> None:
    """MAE as one modality goes wrong, for the seeds of every system whose runs are there."""
    from infofuse import load, open_corpus
    from infofuse.analysis.robustness import robustness as curves_of

    for data in ("bclstm", "planted"):
        corpus = open_corpus(ROOT / DATA[data])
        for backbone, penalty in systems(data):
            file = GRID.page.with_suffix("") / f"robustness-{data}-{backbone}-{penalty}.json"
            folders = [GRID.folder(data, f"{backbone}-{penalty}", s) / f"seed-{s}" for s in SEEDS]
            kept = [f / "checkpoint" for f in folders if (f / "checkpoint").is_dir()]
            if file.is_file() or not kept:
                continue
            clips, task = corpus.split("test"), corpus.spec.task
            curves = curves_of([load(f) for f in kept], clips, task, rates=[0.25, 0.5, 0.75, 1.0])
            file.write_text(json.dumps([c.to_json() for c in curves if c.metric == "mae"]))
            print(f"{data} {backbone} {penalty}: {len(kept)} seeds", flush=True)


def differences(data: str, metric: str) -> str:
    """Each penalty minus none, seed by seed, and over all backbones, with a corrected p."""
    rows, tests = {}, {}
    for penalty in PENALTIES[1:]:
        pooled: list[float] = []
        for backbone in dict.fromkeys(b for b, _ in systems(data)):
            gains = paired(data, backbone, penalty, metric)
            pooled += gains
            if gains:
                rows[f"{backbone}, {penalty}"] = [spread(gains, sign=True), interval(gains)]
                tests[f"{backbone}, {penalty}"] = sign_flip(gains)
        if pooled:
            rows[f"all backbones, {penalty}"] = [spread(pooled, sign=True), interval(pooled)]
            tests[f"all backbones, {penalty}"] = sign_flip(pooled)
    corrected = holm(tests)
    columns = ["difference", "95 % interval", "p, corrected"]
    return table(
        f"{SHORT[metric]}, penalty minus none",
        columns,
        {name: [*cells, number(corrected[name])] for name, cells in rows.items()},
    )


def paired(data: str, backbone: str, penalty: str, metric: str) -> list[float]:
    some, none = (GRID.seeds(data, f"{backbone}-{p}") for p in (penalty, "none"))
    return [some[s]["test"][metric] - none[s]["test"][metric] for s in some if s in none]


def interval(gains: Sequence[float]) -> str:
    """Of the mean, by Student's t."""
    if len(gains) < 2:
        return "–"
    half = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
    return f"[{mean(gains) - half:+.3f}, {mean(gains) + half:+.3f}]"


def sign_flip(gains: Sequence[float]) -> float:
    """Two-sided p of a mean of 0, by flipping the signs of the paired differences."""
    if len(gains) < 2:
        return float("nan")
    test = stats.permutation_test(
        (np.array(gains),), np.mean, permutation_type="samples", n_resamples=99_999, rng=0
    )
    return float(test.pvalue)


def holm(tests: dict[str, float]) -> dict[str, float]:
    """p-values by name, corrected for their number (Holm 1979)."""
    order = sorted((name for name in tests if tests[name] == tests[name]), key=tests.__getitem__)
    found, largest = dict(tests), 0.0
    for i, name in enumerate(order):
        largest = max(largest, min(1.0, tests[name] * (len(order) - i)))
        found[name] = largest
    return found


def scores(data: str) -> str:
    metrics = METRIC.get(data, MOSI_METRICS)
    rows = {}
    for backbone, penalty in systems(data):
        facts = list(GRID.seeds(data, f"{backbone}-{penalty}").values())
        if facts:
            dial, what = chosen(backbone, penalty), "rate ×" if penalty == "none" else "weight"
            seconds = f"{mean(seconds_an_epoch(f) for f in facts):.1f}"
            cells = [spread([f["test"][m] for f in facts]) for m in metrics]
            rows[f"{backbone}, {penalty}"] = [*cells, f"{what} {dial:g}", seconds, str(len(facts))]
    columns = [*(SHORT[m] for m in metrics), "chosen", "seconds an epoch", "seeds"]
    return table("test split", columns, rows)


def retentions(data: str) -> str:
    """mae(0) / mae(0.5) by modality, the mean over the ways of going wrong and over seeds."""
    rows = {}
    for backbone, penalty in systems(data):
        file = GRID.page.with_suffix("") / f"robustness-{data}-{backbone}-{penalty}.json"
        if file.is_file():
            curves = json.loads(file.read_text())
            names = list(dict.fromkeys(c["modality"] for c in curves))
            at = curves[0]["rates"].index(0.5)
            kept = [
                spread(np.mean([np.array(c["retention"])[:, at] for c in of], axis=0).tolist())
                for of in ([c for c in curves if c["modality"] == name] for name in names)
            ]
            rows[f"{backbone}, {penalty}"] = kept
    if not rows:
        return ""
    return table("MAE kept at rate 0.5", [f"{name} spoilt" for name in names], rows)


def page() -> None:
    finished = sum(len(GRID.seeds(d, f"{b}-{p}")) for d in DATA for b, p in systems(d))
    every = sum(len(SEEDS) for d in DATA for _ in systems(d))
    sections = [PREFACE.format(cells=finished, all=every)]
    for data, title in TITLES.items():
        sections += [title, scores(data), differences(data, "mae"), retentions(data)]
    GRID.write(sections[0], filter(None, sections[1:]))


PREFACE = """
# MDM's penalties, a reconstruction

Made by `python benchmarks/mdm.py planted`, `tune`, `run`, `robustness`, then `page`. **{cells} of
{all} cells are finished**; the same commands finish the rest. Each cell is

    infofuse train recipes/mosi/<backbone>.toml --data <data> --seeds <seed>
        --set model.freeze_text=true --set train.epochs=40 --set train.patience=8
        --set plus.mdm.penalty=<penalty> --set plus.mdm.weight=<weight>

The penalty looks at the fused view; T takes one step before each step of the model. The weight
(of 0.01, 0.1 and 1) was chosen by the validation MAE of a seed that is not among the five, on the
bc-LSTM split, and so was the learning rate without a penalty (0.5, 1 or 2 times the recipe's):
three trials for every row. Words are read by the frozen MiniLM, also where the paper fine-tunes.
The checkpoint is chosen by validation MAE; the test split was opened once a cell. mean ±
standard deviation over seeds; p by sign flips of paired differences, after Holm within a table.
Five pairs alone cannot reach p < 0.05 (2 of 32 sign patterns are as extreme): rows of all backbones
can.
"""
TITLES = {
    "bclstm": "## CMU-MOSI, bc-LSTM split (three modalities)",
    "official": "## CMU-MOSI, official split (text and audio)",
    "pom": "## POM (audio and vision, 17 traits)",
    "planted": "## Planted data (three modalities; `infofuse synth --preset demo`)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("planted", "tune", "run", "robustness", "page"))
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what in ("tune", "run"):
        {"tune": tune, "run": run}[arguments.what](arguments.jobs)
    else:
        {"planted": planted, "robustness": robustness, "page": page}[arguments.what]()


if __name__ == "__main__":
    main()
