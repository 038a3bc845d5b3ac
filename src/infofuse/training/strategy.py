"""Fabric's data-parallel strategy without torch's wrapper around the model."""

from lightning_fabric.strategies import DDPStrategy
from torch import nn


class Replicas(DDPStrategy):
    """A replica of the model in each process, as it is.

    `DistributedDataParallel` averages gradients while it goes back from the output of its own
    forward. Here a loss may take the model twice (dependency penalties), leave out parts of it, or
    not be of the model (estimators); `infofuse.training.share` averages before each step instead.
    """

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        return module
