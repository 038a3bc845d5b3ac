"""Trackers are told of each epoch as it ends. CSV and JSON are always written; these are extra."""

from pathlib import Path
from typing import Any

from infofuse.errors import missing, unknown
from infofuse.training.progress import Progress, Watch


def tracker(name: str, folder: Path) -> Watch:
    """The tracker of that name for a run's seed, writing below its folder; "" is none.

    Raises InfofuseError for a name that is not known, or whose package is not installed.
    """
    known = {"": lambda _: lambda _: None, "tensorboard": _tensorboard}
    if name not in known:
        raise unknown("tracker", name, filter(None, known))
    return known[name](folder)


def _tensorboard(folder: Path) -> Watch:
    """Event files in `folder/tensorboard`. A resumed run replaces the epochs that it repeats."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise missing("--log tensorboard needs the package tensorboard", "tensorboard") from None
    writers: list[Any] = []

    def track(progress: Progress) -> None:
        record = progress.history[-1]
        epoch = record["epoch"]
        if not writers:
            writers.append(SummaryWriter(str(folder / "tensorboard"), purge_step=epoch))
        for key, value in record.items():
            if isinstance(value, int | float) and key != "epoch":
                writers[0].add_scalar(_place(key), value, epoch)
        writers[0].flush()

    return track


def _place(key: str) -> str:
    """TensorBoard draws what shares a beginning side by side: "valid_mae" is "valid/mae"."""
    for split in ("valid", "test"):
        if key.startswith(f"{split}_"):
            return f"{split}/{key.removeprefix(f'{split}_')}"
    return f"train/{key}"
