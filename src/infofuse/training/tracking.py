"""Trackers: observers that write for other tools, beside what is written anyway, CSV and JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infofuse.errors import missing, unknown
from infofuse.training.observer import Observer
from infofuse.training.progress import Progress


def tracker(name: str) -> Observer:
    """The tracker of that name, which writes below each seed's folder; "" is none.

    Raises InfofuseError for a name that is not known, or whose package is not installed.
    """
    known = {"": Observer, "tensorboard": TensorBoard}
    if name not in known:
        raise unknown("tracker", name, filter(None, known))
    return known[name]()


class TensorBoard(Observer):
    """Event files in `tensorboard` below a seed's folder.

    A resumed run replaces the epochs that it repeats.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            needed = "--log tensorboard needs the package tensorboard"
            raise missing(needed, "tensorboard") from None
        self._writer_of, self._folder = SummaryWriter, Path()
        self._writer: Any = None

    def seed_begins(self, seed: int, seeds: Sequence[int], folder: Path) -> None:
        self._folder, self._writer = folder / "tensorboard", None

    def epoch_ends(self, progress: Progress) -> None:
        record = progress.history[-1]
        epoch = record["epoch"]
        if self._writer is None:
            self._writer = self._writer_of(str(self._folder), purge_step=epoch)
        for key, value in record.items():
            if isinstance(value, int | float) and key != "epoch":
                self._writer.add_scalar(_place(key), value, epoch)
        self._writer.flush()


def _place(key: str) -> str:
    """TensorBoard draws what shares a beginning side by side: "valid_mae" is "valid/mae"."""
    for split in ("valid", "test"):
        if key.startswith(f"{split}_"):
            return f"{split}/{key.removeprefix(f'{split}_')}"
    return f"train/{key}"
