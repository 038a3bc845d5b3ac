"""Two processes with a part of the batch each find what one finds that has it whole."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from infofuse.measures import (
    MINE,
    BarberAgakov,
    CovarianceGap,
    GaussianMixtureEntropy,
    InfoNCE,
    MutualDependency,
)
from infofuse.objectives import Maximize, Minimize, Objective, gather
from infofuse.types import Batch, Output, Padded

N, CUT = 16, 11  # the first process has 11 clips, the second 5
ABSENT = (2, 3, 12, 13, 14)  # without audio: the second process has but 2 clips that count


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.audio = nn.Linear(5, 4), nn.Linear(3, 4)

    def forward(self, batch: Batch) -> Output:
        text, audio = batch.inputs["text"], batch.inputs["audio"]
        views = {"text": self.text(text.values[:, 0]), "audio": self.audio(audio.values[:, 0])}
        return Output(batch.labels, views, {"text": text.present, "audio": audio.present})


def clips(rows: slice) -> Batch:
    random = torch.Generator().manual_seed(3)
    text, audio, labels = (torch.randn(N, 1, d, generator=random) for d in (5, 3, 1))
    there = torch.ones(N, dtype=torch.long)
    inputs = {"text": Padded(text[rows], there[rows])}
    there = there.index_fill(0, torch.tensor(ABSENT), 0)
    inputs["audio"] = Padded(audio[rows], there[rows])
    return Batch(inputs, labels[rows, 0], torch.arange(N)[rows])


OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "InfoNCE": lambda: Maximize(("text", "audio"), InfoNCE(4, 4, hidden=8)),
    "MINE": lambda: Maximize(("text", "audio"), MINE(4, 4, hidden=8), 0.3),
    "CovarianceGap": lambda: Minimize(("text", "audio"), CovarianceGap()),
    "MutualDependency": lambda: Maximize(("text", "audio"), MutualDependency([4, 4], hidden=8)),
    "BarberAgakov": lambda: Maximize(
        ("text", "audio"),
        BarberAgakov(4, 4, hidden=8, entropy=GaussianMixtureEntropy(4, memory=8)),
    ),
}


def found(name: str, rows: slice, wrap: Callable[[nn.Module], nn.Module]) -> dict[str, Tensor]:
    """Value, gradients and buffers after two steps' worth of one batch."""
    torch.manual_seed(0)
    model, objective = Model(), OBJECTIVES[name]()
    forward = wrap(model)
    torch.manual_seed(1)
    for _ in range(2):
        model.zero_grad()
        objective.zero_grad()
        (term,) = objective(forward(clips(rows)), clips(rows)).values()
        term.loss.backward()
    parts = {"model": model, "objective": objective}
    result = {f"{n}.{k}": p.grad for n, m in parts.items() for k, p in m.named_parameters()}
    result |= {f"objective.{k}": b for k, b in objective.named_buffers()}
    return {"value": term.value} | {k: v for k, v in result.items() if v is not None}


def work(rank: int, folder: Path) -> None:
    """One of the two processes."""
    torch.set_num_threads(1)
    meeting = (folder / "meeting").as_uri()
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    rows = slice(0, CUT) if rank == 0 else slice(CUT, N)
    for name in OBJECTIVES:
        save_file(found(name, rows, DistributedDataParallel), folder / f"{name}-{rank}.safetensors")
    empty = torch.arange(rank * 3.0)[:, None]  # a process may have no row at all
    save_file({"rows": gather(empty)[0]}, folder / f"rows-{rank}.safetensors")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gloo")
    words = [sys.executable, __file__, str(folder)]
    both = [subprocess.Popen([*words, str(rank)], stderr=subprocess.PIPE) for rank in (0, 1)]
    said = [process.communicate(timeout=120)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    return folder


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_gradients_and_memory_are_those_of_one_process(name: str, processes: Path) -> None:
    whole = found(name, slice(0, N), lambda model: model)
    assert whole["model.text.weight"].abs().sum() > 0
    for rank in (0, 1):
        part = load_file(processes / f"{name}-{rank}.safetensors")
        assert part.keys() == whole.keys()
        for key, value in whole.items():
            torch.testing.assert_close(part[key], value, rtol=1e-5, atol=1e-5, equal_nan=True)


def test_rows_come_in_the_order_of_ranks_and_some_may_have_none(processes: Path) -> None:
    for rank in (0, 1):
        rows = load_file(processes / f"rows-{rank}.safetensors")["rows"]
        assert rows.tolist() == [[0.0], [1.0], [2.0]]


def test_a_single_process_is_left_alone() -> None:
    x, y = torch.randn(2, 3, 4)
    first, second = gather(x, y)
    assert first is x
    assert second is y


if __name__ == "__main__":
    work(int(sys.argv[2]), Path(sys.argv[1]))
    os._exit(0)  # gloo's threads may outlive the interpreter, whose end they would make an abort
