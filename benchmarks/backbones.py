#!/usr/bin/env python3
"""Every paper on real CMU-MOSI (two splits) and POM, five seeds, beside the floors.

    python benchmarks/backbones.py pom --npz F      once: POM as a store in data/pom
    python benchmarks/backbones.py run --jobs 2     an hour or two; goes on where it stopped
    python benchmarks/backbones.py page             write the results page

Each cell is an ordinary `infofuse train recipes/mosi/<paper>.toml --data …` (`--paper <paper>`
where there is no such recipe). Every paper but MAG reads the words by the frozen MiniLM, whose
states are computed once, so that most cells cost seconds and differ by the fusion alone.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import numpy as np

from grid import (
    FROZEN,
    MOSI,
    MOSI_CLIPS,
    ROOT,
    Grid,
    command_line,
    floors,
    overrides,
    seconds_an_epoch,
    spread,
    table,
)
from infofuse import papers
from infofuse.data import Corpus, from_arrays, open_corpus, write_store
from infofuse.types import Clips

GRID = Grid("backbones_mosi", runs="backbones")
DATA = {**MOSI, "pom": "data/pom"}
ORDER = ("official", "pom", "bclstm")
"""What tells most for its time first."""
MOSI_COLUMNS = ("mae", "corr", "acc7", "acc2_has0", "acc2_non0")
POM_COLUMNS = ("mae", "corr", "ccc")
ALONE = {"official": ("text",), "bclstm": ("text",), "pom": ("audio", "vision")}
"""Single modalities that are trained too: the text for every paper, POM's for one of them."""
ONE = "lf_dnn"
WITHOUT = {("pom", "mag"), ("pom", "self_mm")}
"""MAG changes the states of words, which POM lacks; Self-MM is of one label, and POM has 17."""
OWN = {
    "mag": ["model.freeze_text=false", "train.lr=5e-5", "train.lr_text=5e-5",
            "train.epochs=8", "train.patience=4"],
    "misa": ["train.lr=1e-3"],
}  # fmt: skip
"""What papers set otherwise: see the page's preface."""


def systems(data: str) -> Iterator[str]:
    """The papers by name, and `paper@modality` for one on a single modality."""
    for paper in backbones():
        if (data, paper) in WITHOUT:
            continue
        yield paper
        if data != "pom" or paper == ONE:
            yield from (f"{paper}@{modality}" for modality in ALONE[data])


def backbones() -> list[str]:
    """The papers but those that are terms on another's backbone; MAG, the dearest, last."""
    names = [name for name in papers.names() if not hasattr(papers.get(name), "Plus")]
    return sorted(names, key=lambda name: name == "mag")


def words(data: str, system: str) -> list[str]:
    """What `infofuse train` is given."""
    paper, _, alone = system.partition("@")
    recipe = Path("recipes") / "mosi" / f"{paper}.toml"
    start = [str(recipe)] if (ROOT / recipe).is_file() else ["--paper", paper]
    sets = [*FROZEN, *OWN.get(paper, [])]
    sets += [f'model.modalities=["{alone}"]'] if alone else []
    return [*start, "--data", DATA[data], *overrides(sets)]


def cells() -> list[tuple[str, str]]:
    """Every system on its data, what tells most for its time first and MAG's last."""
    every = [(data, system) for data in ORDER for system in systems(data)]
    return sorted(every, key=lambda cell: cell[1].startswith("mag"))


def pom(npz: Path) -> None:
    """POM's aligned audio and video, 20 steps a clip, and its 17 traits."""
    with np.load(npz, allow_pickle=False) as file:
        splits = {
            split: {
                "labels": file[f"y_{split}"],
                "audio": file[f"audio_{split}"],
                "vision": file[f"video_{split}"],
            }
            for split in ("train", "valid", "test")
        }
    write_store(from_arrays(splits, "pom"), ROOT / DATA["pom"])


def mean_frames(corpus: Corpus, names: Sequence[str]) -> Callable[[Clips], np.ndarray]:
    """Of each clip, these modalities' mean frames side by side on the training set's scale."""

    def raw(clips: Clips) -> np.ndarray:
        columns = [clips.features[name] for name in names]
        rows = ([c[i].sum(0) / max(1, len(c[i])) for c in columns] for i in range(len(clips)))
        return np.stack([np.concatenate(row) for row in rows])

    train = raw(corpus.split("train"))
    middle, scale = train.mean(0), train.std(0) + 1e-6
    return lambda clips: ((raw(clips) - middle) / scale).clip(-10, 10)


def ridges(data: str) -> dict[str, dict[str, float]]:
    """The floors: a constant, and ridge regression on all modalities and on each alone."""
    corpus = open_corpus(ROOT / DATA[data])
    names = list(corpus.spec.features)
    found = floors(corpus, "mean frames + ridge", mean_frames(corpus, names))
    for name in names:
        title = f"mean frames + ridge, alone: {name}"
        found |= floors(corpus, title, mean_frames(corpus, [name]))
    return found


def section(data: str) -> str:
    """The scores of a data set's systems beside its floors."""
    metrics = POM_COLUMNS if data == "pom" else MOSI_COLUMNS
    titles = {system: system.replace("@", ", alone: ") for system in systems(data)}
    more = {
        "parameters": lambda facts: f"{facts[0]['parameters']:,}",
        "seconds an epoch": lambda facts: f"{mean(map(seconds_an_epoch, facts)):.1f}",
    }
    return GRID.scores(data, titles, metrics, ridges(data), more)


def verdicts(data: str) -> str:
    """Each paper's MAE minus that of its text-only self, seed by seed, and whether it is less."""
    rows: dict[str, list[str]] = {}
    for paper in backbones():
        if gains := GRID.gains(data, paper, f"{paper}@text", "mae"):
            rows[paper] = [spread(gains, sign=True), verdict(gains), str(len(gains))]
    return table("MAE minus text alone, paired", ["difference", "", "seeds"], rows) if rows else ""


def verdict(gains: list[float]) -> str:
    """Beats its text-only self if the mean gain is twice its standard error."""
    if len(gains) < 2:
        return "one seed says nothing"
    error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    middle = float(np.mean(gains))
    if middle < -2 * error:
        return "beats its text-only self"
    return "worse than its text-only self" if middle > 2 * error else "does not beat text alone"


def page() -> None:
    sections = []
    for data, title in TITLES.items():
        sections += [title, section(data), verdicts(data) if data != "pom" else ""]
    GRID.write(PREFACE.format(**GRID.progress(cells())), filter(None, sections))


PREFACE = """
# The backbones on CMU-MOSI and POM

Made by `python benchmarks/backbones.py run --jobs 2`, then `page`. **{cells} of {all} cells are
finished**; the same commands finish the rest. Each cell is

    infofuse train recipes/mosi/<paper>.toml --data <data> --seeds <seed>
        --set model.freeze_text=true --set train.epochs=40 --set train.patience=8

with the paper's own defaults where there is no recipe. Every paper but MAG reads the words by the
frozen MiniLM, the ones that fine-tune a text encoder too: the table compares fusions, and its
scores lie below those with a fine-tuned encoder. MISA has one learning rate, which is for
fine-tuning: here it is 1e-3. MAG's gate sits inside the text encoder and learns next to nothing in
a frozen one (MAE 1.3), so MAG alone fine-tunes MiniLM, at the rate of MMIM's recipe (5e-5), for 8
epochs with a patience of 4: its scores are to be held against its text-only self, and not against
the other rows. float32, one torch thread, two jobs at a time; seconds were taken with other work
beside them. The checkpoint of each run is chosen by validation MAE; the test split was opened once
a cell. mean ± standard deviation over seeds. Nothing was tuned, and the verdicts ("beats": the
mean gain is over twice its standard error) are not corrected for their number. "alone" is the
paper on that modality only. Parameters count those of MiniLM (22.6 M).
"""
TITLES = {
    "official": f"""
## CMU-MOSI, official split ({MOSI_CLIPS["official"]}; text and audio)

Audio is one vector of functionals a clip. Vision is left out: the visual features at hand come
from a network that was trained with labels of clips that this split tests on.
""",
    "bclstm": f"""
## CMU-MOSI, bc-LSTM split ({MOSI_CLIPS["bclstm"]}; three modalities)

Audio and vision are one vector a clip. The vision comes from a network that was trained with the
labels of train and valid, as `infofuse audit` says of it. So it tells more in training than it does
in testing, models lean on it, and validation does not see that: what it costs is the distance of a
row from its text-only self, and no verdict on the backbone.
""",
    "pom": """
## POM (600 / 100 / 203 clips; audio and vision, 20 steps aligned to words; 17 traits)

Each score is the mean over the traits.
""",
}


def main() -> None:
    parser = command_line(__doc__, "pom", "run", "page")
    parser.add_argument("--npz", type=Path, help="POM as arrays: audio_, video_ and y_ by split")
    arguments = parser.parse_args()
    if arguments.what == "pom":
        pom(arguments.npz)
    elif arguments.what == "run":
        GRID.run(cells(), words, arguments.jobs)
    else:
        page()


if __name__ == "__main__":
    main()
