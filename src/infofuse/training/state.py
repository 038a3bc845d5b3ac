"""Everything a killed run needs to go on as if nothing had happened."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim import Optimizer

from infofuse.files import read_json, remove_folder, replacing, write_json
from infofuse.training.checkpoint import load_tensors, save_tensors
from infofuse.training.random_state import CPU, random_state, set_random_state

STATE = "state"
"""The folder of the snapshots, in a seed's."""


class TrainingState:
    """Snapshots after each epoch: modules, optimisers, random state, and what the loop keeps.

    A snapshot is a folder that appears whole or not at all; the newest one counts, and older
    ones go once it is there. Restored, training on a CPU gives the bits of an uninterrupted run.
    """

    def __init__(
        self,
        folder: Path,
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        device: torch.device = CPU,
    ):
        self.folder, self.modules, self.optimizers = folder, modules, optimizers
        self.device = device

    def save(self, epoch: int, progress: dict[str, Any]) -> None:
        """Snapshot the end of this epoch."""
        with replacing(self.folder / f"epoch-{epoch:04d}") as new:
            new.mkdir()
            for name, module in self.modules.items():
                save_tensors(module.state_dict(), new / f"{name}.safetensors")
            for name, optimizer in self.optimizers.items():
                save_tensors(_flat(optimizer), new / f"{name}.safetensors")
            save_tensors(random_state(self.device), new / "random.safetensors")
            write_json(new / "progress.json", progress)
        for older in self._snapshots()[:-1]:
            shutil.rmtree(older)

    def restore(self) -> dict[str, Any] | None:
        """Go back to the newest snapshot and return its progress; None if there is none."""
        snapshots = self._snapshots()
        if not snapshots:
            return None
        newest = snapshots[-1]
        for name, module in self.modules.items():
            load_tensors(module, newest / f"{name}.safetensors")
        for name, optimizer in self.optimizers.items():
            _unflatten(optimizer, load_file(newest / f"{name}.safetensors"))
        set_random_state(load_file(newest / "random.safetensors"), self.device)
        return read_json(newest / "progress.json")

    def clear(self) -> None:
        """Remove the snapshots of a run that is finished."""
        remove_folder(self.folder)

    def _snapshots(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*"))


def _flat(optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, slots in optimizer.state_dict()["state"].items()
        for name, value in slots.items()
    }


def _unflatten(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    slots: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})
