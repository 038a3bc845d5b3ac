"""What it costs to feed a set of MOSEI's size: opening it, memory, clips a second.

    python benchmarks/data.py                         # minutes; writes results/data.md
    python benchmarks/data.py --mmsa ENV/bin/python   # with MMSA's loader; ENV has MMSA and torch

The set is random numbers in true-looking shapes: 22,856 clips of 7.3 s on average and 25 s at most,
text of 50 x 768, audio of 500 x 74 (20 a second) and vision of 375 x 35 (15 a second) steps. It is
written as our store, and as the padded pickle that the field exchanges, of as many clips as
`--peer-clips`. Each measurement is a process of its own. Memory is what a process takes over what
it took once everything was imported: resident (with pages of mapped files) and anonymous.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WIDTHS = {"text": 768, "audio": 74, "vision": 35}
MOST = {"text": 50, "audio": 500, "vision": 375}
CLIPS = {"train": 16_326, "valid": 1_871, "test": 4_659}
BATCH = 32
ROOT = Path(__file__).parents[1]


def lengths(n: int, seed: int = 0) -> dict[str, Any]:
    """Steps of n clips: lognormal durations, and modalities that follow them.

    The words a second vary as in CMU-MOSI, whose logarithms have a standard deviation of .34.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    seconds = np.clip(rng.lognormal(np.log(7.3) - 0.18, 0.6, n), 0.8, 25)
    words = 2.7 * seconds * rng.lognormal(0, 0.32, n) + 2
    steps = {"text": words, "audio": 20 * seconds, "vision": 15 * seconds}
    return {name: np.clip(steps[name], 1, MOST[name]).astype(np.int64) for name in steps}


def some_clips(n: int, seed: int) -> Any:
    """Random clips in memory."""
    import numpy as np

    from infofuse.types import Clips, Ragged

    rng = np.random.default_rng(seed)
    features = {}
    for name, steps in lengths(n, seed).items():
        values = rng.random((int(steps.sum()), WIDTHS[name]), np.float32)
        features[name] = Ragged.laid(values, steps)
    labels = rng.uniform(-3, 3, (n, 1)).astype(np.float32)
    ids = [f"{seed}_{i}" for i in range(n)]
    return Clips(ids, labels, features, ["some words of it"] * n, ids)


def write_twin(folder: Path) -> dict[str, Any]:
    """The whole set as a store, 500 clips at a time."""
    from infofuse.data import DataSpec, create_store

    spec = DataSpec("mosei-like", dict(WIDTHS), text=True, label_range=(-3.0, 3.0))
    with watched() as facts, create_store(folder, spec) as store:
        for split, n in CLIPS.items():
            for first in range(0, n, 500):
                store.add(split, some_clips(min(500, n - first), first))
    size = sum(file.stat().st_size for file in folder.iterdir())
    return facts | {"bytes": size, "files": len(list(folder.iterdir())) - 1}


def write_larger(folder: Path, times: int) -> dict[str, Any]:
    """A store `times` as large: its manifest names each shard so often, which takes no disk."""
    manifest = json.loads((folder / "corpus.json").read_text())
    for split in manifest["splits"].values():
        split["shards"] *= times
    large = folder.with_name(f"{folder.name}-{times}")
    large.mkdir()
    (large / "corpus.json").write_text(json.dumps(manifest))
    for file in folder.glob("*.arrow"):
        os.link(file, large / file.name)
    return {}


def write_pickle(file: Path, n: int) -> dict[str, Any]:
    """n padded clips as the field's pickle, split as MMSA reads it."""
    import pickle

    import numpy as np

    rng = np.random.default_rng(0)
    parts = {"train": n - 2 * (n // 8), "valid": n // 8, "test": n // 8}
    data = {}
    for split, count in parts.items():
        steps = lengths(count)
        part: dict[str, Any] = {
            name: np.zeros((count, MOST[name], WIDTHS[name]), np.float32) for name in WIDTHS
        }
        for name in WIDTHS:
            for i, k in enumerate(steps[name]):
                part[name][i, :k] = rng.random((k, WIDTHS[name]), np.float32)
        part |= {"audio_lengths": steps["audio"].tolist(), "raw_text": ["some words"] * count}
        part |= {"vision_lengths": steps["vision"].tolist(), "id": [str(i) for i in range(count)]}
        data[split] = part | {"regression_labels": rng.uniform(-3, 3, count).astype(np.float32)}
    with file.open("wb") as out:
        pickle.dump(data, out, protocol=4)
    return {"bytes": file.stat().st_size, "train": parts["train"]}


def open_store(folder: Path) -> dict[str, Any]:
    """Time and memory of opening a store, the median of five."""
    from infofuse.data import read_store

    runs = []
    for _ in range(5):
        with watched() as facts:
            corpus = read_store(folder)
        runs.append(facts)
    clips = sum(len(split) for split in corpus.splits.values())
    splits = json.loads((folder / "corpus.json").read_text())["splits"].values()
    sizes = [shard["bytes"] for split in splits for shard in split["shards"]]
    middle = {key: sorted(run[key] for run in runs)[2] for key in runs[0]}
    return middle | {"bytes": sum(sizes), "files": len(sizes), "clips": clips}


def our_epoch(folder: Path, epochs: int = 2) -> dict[str, Any]:
    """Open the store and read its training split, batch by batch."""
    from infofuse.data import read_store
    from infofuse.data.loader import Loader

    def batches() -> Iterator[Iterator[tuple[int, int]]]:
        clips = read_store(folder).split("train")
        loader = Loader(dict(clips.features), clips.labels, BATCH)
        for number in range(epochs):
            yield (_count(batch.inputs) for batch in loader.epoch(number))

    return _read(batches)


def _count(inputs: Any) -> tuple[int, int]:
    """Real and all numbers of a padded batch."""
    real = sum(int(x.lengths.sum()) * x.values.shape[2] for x in inputs.values())
    return real, sum(x.values.numel() for x in inputs.values())


def mmsa_epoch(source: Path, file: Path, epochs: int = 2) -> dict[str, Any]:
    """MMSA's own data_loader.py: the pickle whole, once a split, padded; batches by DataLoader."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("mmsa_data_loader", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    args = {"dataset_name": "mosei", "custom_feature": str(file), "feature_dims": [0, 0, 0],
            "feature_T": "", "feature_A": "", "feature_V": "", "need_data_aligned": False,
            "batch_size": BATCH}  # fmt: skip

    def batches() -> Iterator[Iterator[tuple[int, int]]]:
        loader = module.MMDataLoader(args, num_workers=0)["train"]
        for _ in range(epochs):
            yield (_padded(batch) for batch in loader)

    return _read(batches)


def plain_epoch(file: Path, epochs: int = 2) -> dict[str, Any]:
    """torch's DataLoader over the padded arrays, loaded once and not copied."""
    import pickle

    import torch
    from torch.utils.data import DataLoader, TensorDataset

    def batches() -> Iterator[Iterator[tuple[int, int]]]:
        with file.open("rb") as content:
            part = pickle.load(content)["train"]
        names = [*WIDTHS, "regression_labels"]
        columns = [torch.from_numpy(part[name]) for name in names]
        columns += [torch.tensor(part[f"{name}_lengths"]) for name in ("audio", "vision")]
        loader = DataLoader(TensorDataset(*columns), BATCH, shuffle=True)
        named = [*names, "audio_lengths", "vision_lengths"]
        for _ in range(epochs):
            yield (_padded(dict(zip(named, batch, strict=True))) for batch in loader)

    return _read(batches)


def _padded(batch: Any) -> tuple[int, int]:
    """As `_count`; text has no lengths in the pickle, so what is not zero is counted."""
    text = int((batch["text"][:, :, 0] != 0).sum())
    steps = {"text": text} | {k: int(batch[f"{k}_lengths"].sum()) for k in ("audio", "vision")}
    numbers = sum(batch[name].numel() for name in WIDTHS)
    return sum(steps[name] * width for name, width in WIDTHS.items()), numbers


def _read(batches: Callable[[], Iterator[Iterator[tuple[int, int]]]]) -> dict[str, Any]:
    """Clips a second: from nothing to the end of the first epoch, and in the second alone."""
    import torch

    torch.set_num_threads(1)
    ends, cpu, sums = [], [time.process_time()], []
    with watched() as facts:
        begin = time.perf_counter()
        for epoch in batches():
            counts = list(epoch)
            ends.append(time.perf_counter() - begin)
            cpu.append(time.process_time())
            sums.append(counts)
    real, numbers = (sum(column) for column in zip(*sums[-1], strict=True))
    facts |= {"first": ends[0], "second": ends[1] - ends[0], "padding": 1 - real / numbers}
    return facts | {"first_cpu": cpu[1] - cpu[0], "second_cpu": cpu[2] - cpu[1]}


class watched:
    """Seconds, and the largest resident and anonymous memory over what there was before."""

    def __enter__(self) -> dict[str, Any]:
        import numpy  # noqa: F401
        import torch

        from infofuse.data import loader  # noqa: F401

        torch.ones(2).sum()
        self.facts: dict[str, Any] = {}
        self.before = self.most = _memory()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        self.begin, self.cpu = time.perf_counter(), time.process_time()
        return self.facts

    def _watch(self) -> None:
        while True:
            self.most = tuple(map(max, self.most, _memory()))
            if self.over.wait(0.005):
                return

    def __exit__(self, *_: object) -> None:
        self.facts["seconds"] = time.perf_counter() - self.begin
        self.facts["cpu"] = time.process_time() - self.cpu
        self.over.set()
        self.thread.join()
        grown = [after - before for after, before in zip(self.most, self.before, strict=True)]
        self.facts |= {"resident": grown[0], "anonymous": grown[1]}


def _memory() -> tuple[int, ...]:
    """Resident and anonymous bytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return tuple(1024 * int(found[name].split()[0]) for name in ("VmRSS", "RssAnon"))


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    job.__name__: job
    for job in (write_twin, write_larger, write_pickle, open_store, our_epoch, mmsa_epoch,
                plain_epoch)
}  # fmt: skip


def child(job: str, *args: object, python: str = sys.executable) -> dict[str, Any]:
    """Run one job in a process of its own."""
    command = [python, __file__, "--job", job, *map(str, args)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    print(job, *args, file=sys.stderr)
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--job", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--mmsa", help="python of an environment with MMSA")
    parser.add_argument("--peer-clips", type=int, default=5_000)
    parser.add_argument("--scratch", type=Path, help="where to put some gigabytes")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/data.md")
    a = parser.parse_args()
    if a.job:
        job, *args = a.job
        print(json.dumps(JOBS[job](*(int(x) if x.isdigit() else Path(x) for x in args))))
        return
    scratch = Path(tempfile.mkdtemp(dir=a.scratch))
    try:
        found = measure(scratch, a)
    finally:
        shutil.rmtree(scratch)
    a.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    a.out.write_text(page(found))


def measure(scratch: Path, a: argparse.Namespace) -> dict[str, Any]:
    """Every job, one after the other."""
    from infofuse.environment import machine

    store, pickled = scratch / "twin", scratch / "padded.pkl"
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    found: dict[str, Any] = {"peer_clips": a.peer_clips}
    found["machine"] = f"{machine()}, load averages {load}"
    found["write"] = child("write_twin", store)
    times = {"10": 10, "100 GB": -(-100 * 10**9 // found["write"]["bytes"])}
    for n in times.values():
        child("write_larger", store, n)
    found["open"] = child("open_store", store)
    found["open_100gb"] = child("open_store", scratch / f"twin-{times['100 GB']}")
    found["ours"] = child("our_epoch", store)
    found["ours_10"] = child("our_epoch", scratch / "twin-10")
    found["pickle"] = child("write_pickle", pickled, a.peer_clips)
    found["plain"] = child("plain_epoch", pickled)
    if a.mmsa:
        code = (
            "import importlib.util as u; print(u.find_spec('MMSA').submodule_search_locations[0])"
        )
        place = subprocess.check_output([a.mmsa, "-c", code], text=True).strip()
        found["mmsa"] = child("mmsa_epoch", f"{place}/data_loader.py", pickled, python=a.mmsa)
    return found


def page(found: dict[str, Any]) -> str:
    """The results page."""
    train = {"ours": CLIPS["train"], "ours_10": 10 * CLIPS["train"]}
    names = {
        "ours": "infofuse, 22,856 clips",
        "ours_10": "infofuse, 228,560 clips",
        "plain": f"DataLoader over padded arrays, {found['peer_clips']:,} clips",
        "mmsa": f"MMSA 2.2.1's data_loader.py, {found['peer_clips']:,} clips",
    }
    rows = [
        _row(names[k], found[k], train.get(k, found["pickle"]["train"]))
        for k in names
        if k in found
    ]
    write, pickled = found["write"], found["pickle"]
    factor = sum(CLIPS.values()) / found["peer_clips"]
    rates = {k: train.get(k, pickled["train"]) / found[k]["first"] for k in names if k in found}
    gain = rates["ours"] / rates.get("mmsa", float("nan"))
    return f"""# Feeding a set of MOSEI's size

Made by `python benchmarks/data.py --mmsa ...` on {found["machine"]}.
Other work ran beside it, so that processor time is given, too. The numbers are in
[data.json](data.json); the script says what the set is. Batches of {BATCH}, no workers, one thread.

| | clips/s, first epoch | later | of processor time | resident | anonymous | padding |
|---|---|---|---|---|---|---|
{"".join(rows)}
The first epoch is from the closed file to the last batch, over the training clips. Memory is the
largest while that was done, over what the process took with everything imported; padding is the
share of a batch's numbers that are padding.

From bytes to batches, the first epoch, infofuse gives {gain:.0f} times as many clips a second as
MMSA, which unpickles the whole file once for each split. Once everything is in memory, padded
arrays are fed about as fast, clip for clip; but most of their numbers are padding, which a model
then computes on.

The padded pickle of all 22,856 clips is {_padded_size() / 1e9:.1f} GB, and MMSA holds it and
copies of its arrays at once, for which this machine has no room beside other work. So the peers
read {found["peer_clips"]:,} clips ({pickled["bytes"] / 1e9:.1f} GB). Their memory grows with the
clips: at full size it would be {factor:.1f} times as much. The set of 228,560 clips names each
shard ten times: ten times the clips and mappings, though not the bytes on disk.

| | seconds | of processor time | anonymous | resident |
|---|---|---|---|---|
{_cost(f"writing the store, numbers made included: {_size(write)}", write)}
{_cost(f"opening it: {found['open']['clips']:,} clips", found["open"])}
{_cost(f"opening {_size(found['open_100gb'])}", found["open_100gb"])}
"""


def _size(facts: dict[str, Any]) -> str:
    return f"{facts['bytes'] / 1e9:.1f} GB in {facts['files']} shards"


def _cost(what: str, facts: dict[str, Any]) -> str:
    memory = f"{facts['anonymous'] / 1e6:.1f} MB | {facts['resident'] / 1e6:.1f} MB"
    return f"| {what} | {facts['seconds']:.3f} | {facts['cpu']:.3f} | {memory} |"


def _row(name: str, facts: dict[str, Any], clips: int) -> str:
    speeds = [f"{clips / facts[k]:,.0f}" for k in ("first", "second")]
    cpu = ", ".join(f"{clips / facts[k]:,.0f}" for k in ("first_cpu", "second_cpu"))
    memory = [f"{facts[k] / 1e6:,.0f} MB" for k in ("resident", "anonymous")]
    return "| " + " | ".join([name, *speeds, cpu, *memory, f"{facts['padding']:.1%}"]) + " |\n"


def _padded_size() -> int:
    return sum(CLIPS.values()) * sum(4 * MOST[name] * WIDTHS[name] for name in WIDTHS)


if __name__ == "__main__":
    main()
