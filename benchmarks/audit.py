"""Inspect, audit and convert real data: CMU-MOSI in four variants, POM and ICT-MMMO.

usage: python benchmarks/audit.py SHARED OUT

SHARED holds data/mosi/mosi.npz and data/mmmo_pom/*.npz; their README files say what is in them.
OUT receives a store and a page for each. MOSI's visual and textual features of bc-LSTM are looked
at on both splits: on the official one they know part of the test labels, which must be found. Then
MOSI's videos are dealt to splits at random, and the findings of a leak are counted, and those in
generated corpora.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from infofuse.cli.audit import report
from infofuse.data import Corpus, DataSpec, write_store
from infofuse.data.audit import audit
from infofuse.data.audit.leak import leaks, skills
from infofuse.data.audit.page import page
from infofuse.data.synthetic import PRESETS, synthesize
from infofuse.encoders.pretrained import minilm_folder
from infofuse.files import write_text
from infofuse.types import Clips, Ragged

MFN_SPLITS = ("train", "valid", "test")


def mosi(shared: Path, split: str, modalities: dict[str, str]) -> Corpus:
    """Real CMU-MOSI. split: "official" or "bclstm". modalities: the array of each modality."""
    with np.load(shared / "data/mosi/mosi.npz", allow_pickle=False) as file:
        data = dict(file)
    data["glove"] = _glove(data)
    part = np.where(data[f"split_{split}"] == "val", "valid", data[f"split_{split}"])
    names = [s for s in MFN_SPLITS if (part == s).any()]
    widths = {m: data[array].shape[1] for m, array in modalities.items()}
    spec = DataSpec(f"mosi-{split}", widths, True, 1, (-3.0, 3.0), "mosi")
    columns = {m: data[array] for m, array in modalities.items()}
    return Corpus(spec, {s: _mosi_clips(data, part == s, columns) for s in names})


def _glove(data: dict[str, np.ndarray]) -> np.ndarray:
    """The mean vector of each clip's words."""
    row = {word: i for i, word in enumerate(data["glove_vocab"])}
    nothing = np.zeros((1, data["glove_emb"].shape[1]), np.float32)
    found = [[row[w] for w in text.split() if w in row] for text in data["text"]]
    return np.stack([(data["glove_emb"][w] if w else nothing).mean(0) for w in found])


def _minilm(texts: np.ndarray) -> np.ndarray:
    """The mean of MiniLM's last layer over each text's tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    model = AutoModel.from_pretrained(minilm_folder()).eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(texts), 64):
            batch = texts[start : start + 64].tolist()
            tokens = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
            mask = tokens["attention_mask"][..., None]
            found.append((model(**tokens).last_hidden_state * mask).sum(1) / mask.sum(1))
    return torch.cat(found).numpy()


def alarms(shared: Path, deals: int, seeds: int) -> Counter[str]:
    """How often each feature of MOSI, and any of a generated corpus, is found to leak."""
    with np.load(shared / "data/mosi/mosi.npz", allow_pickle=False) as file:
        data = dict(file)
    honest = {"GloVe": _glove(data), "MiniLM": _minilm(data["text"])}
    columns = {**honest, **{name: data[name] for name in ("audio73", "text100", "video100")}}
    spec = DataSpec("mosi", {m: v.shape[1] for m, v in columns.items()}, True, 1, (-3.0, 3.0))
    videos, video = np.unique([i.rsplit("_", 1)[0] for i in data["id"]], return_inverse=True)
    sizes = [("train", 52), ("valid", 10), ("test", 31)]
    dealt = np.repeat([s for s, _ in sizes], [n for _, n in sizes])
    rng, found = np.random.default_rng(0), Counter[str]()
    for deal in range(deals):
        part = rng.permutation(dealt)[: len(videos)][video]
        corpus = Corpus(spec, {s: _mosi_clips(data, part == s, columns) for s, _ in sizes})
        measured = skills(corpus)
        if deal == 0:
            print(*measured, sep="\n")
        found.update({f.facts["modality"] for f in leaks(measured)})
    for name in PRESETS:
        for seed in range(seeds):
            found[f"generated, {name}"] += len(leaks(skills(synthesize(name, seed))))
    return found


def _mosi_clips(data: dict[str, np.ndarray], rows: np.ndarray, columns: dict) -> Clips:
    ids = data["id"][rows].tolist()
    each = np.arange(len(ids) + 1)
    return Clips(
        ids,
        data["label"][rows][:, None].astype(np.float32),
        {m: Ragged(values[rows].astype(np.float32), each) for m, values in columns.items()},
        data["text"][rows].tolist(),
        [clip.rsplit("_", 1)[0] for clip in ids],
    )


def mfn(shared: Path, name: str) -> Corpus:
    """POM or ICT-MMMO of 20 steps a clip, of which those that are all zero lead or trail."""
    with np.load(shared / f"data/mmmo_pom/{name}.npz", allow_pickle=False) as file:
        data = dict(file)
    splits = {s: _mfn_clips(data, name, s) for s in MFN_SPLITS}
    first = splits["train"]
    widths = {m: ragged.width for m, ragged in first.features.items()}
    return Corpus(DataSpec(name, widths, outputs=first.labels.shape[1]), splits)


def _mfn_clips(data: dict[str, np.ndarray], name: str, split: str) -> Clips:
    labels = data[f"y_{split}"].astype(np.float32)
    labels = labels.reshape(len(labels), -1)
    ids = [f"{name}-{split}-{i}" for i in range(len(labels))]
    arrays = {"audio": data[f"audio_{split}"], "vision": data[f"video_{split}"]}
    features = {m: Ragged.of([x[np.any(x, axis=1)] for x in a]) for m, a in arrays.items()}
    return Clips(ids, labels, features, [""] * len(ids), ids)


def corpora(shared: Path) -> dict[str, tuple[Corpus, str]]:
    """Each corpus, and the data set that it is."""
    honest = {"text": "glove", "audio": "audio73"}
    leaky = {"text": "text100", "audio": "audio73", "vision": "video100"}
    return {
        "mosi-official": (mosi(shared, "official", honest), "mosi"),
        "mosi-official-leaky": (mosi(shared, "official", leaky), "mosi"),
        "mosi-bclstm": (mosi(shared, "bclstm", honest), "mosi"),
        "mosi-bclstm-leaky": (mosi(shared, "bclstm", leaky), "mosi"),
        "pom": (mfn(shared, "pom"), "pom"),
        "mmmo": (mfn(shared, "mmmo"), "mmmo"),
    }


def main(shared: Path, out: Path) -> None:
    for name, (corpus, dataset) in corpora(shared).items():
        write_store(corpus, out / name, overwrite=True)
        found = audit(corpus, dataset)
        write_text(out / f"{name}.html", page(found))
        print(report(out / name, found), end="\n\n")
    print(dict(alarms(shared, deals=40, seeds=12)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
