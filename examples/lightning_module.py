"""A dependence term in a `lightning.LightningModule`, with its own critic. Runs in seconds:

    pip install lightning
    python examples/lightning_module.py

The measure is a submodule, so its critic moves, saves and learns with the model, and the term is
one line of the step. Under DDP, write `nce(*gather(a, v))` with `infofuse.objectives.gather`.
"""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from infofuse.measures import GaussianInformation, InfoNCE


class Model(lightning.LightningModule):
    """Two encoders and a head; `weight` nats of mutual information are worth one of error."""

    def __init__(self, weight: float):
        super().__init__()
        self.weight = weight
        self.audio, self.vision = nn.Linear(24, 16), nn.Linear(32, 16)
        self.head = nn.Linear(32, 1)
        self.nce = InfoNCE(16, 16)
        self.meter = GaussianInformation()

    def views(self, audio: torch.Tensor, vision: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.audio(audio).tanh(), self.vision(vision).tanh()

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        audio, vision, target = batch
        a, v = self.views(audio, vision)
        error = (self.head(torch.cat([a, v], dim=1)) - target).abs().mean()
        return error - self.weight * self.nce(a, v)

    def validation_step(self, batch: list[torch.Tensor]) -> None:
        audio, vision, target = batch
        a, v = self.views(audio, vision)
        self.log("error", (self.head(torch.cat([a, v], dim=1)) - target).abs().mean())
        self.log("nats", self.meter(a, v))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def clips(count: int) -> TensorDataset:
    """Two noisy looks at the same two numbers, and their sum to be predicted."""
    shared = torch.randn(count, 2)
    audio = torch.randn(count, 24) + shared.repeat(1, 12)
    vision = torch.randn(count, 32) + shared.repeat(1, 16)
    return TensorDataset(audio, vision, shared.sum(1, keepdim=True))


def train(weight: float) -> dict[str, float]:
    lightning.seed_everything(0, verbose=False)
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    seen, fresh = DataLoader(clips(4096), 64, shuffle=True), DataLoader(clips(1024), 1024)
    model = Model(weight)
    trainer.fit(model, seen)
    return trainer.validate(model, fresh, verbose=False)[0]


if __name__ == "__main__":
    for weight in (0.0, 0.1):
        found = train(weight)
        error, nats = found["error"], found["nats"]
        print(f"weight {weight}: error {error:.3f}, I(audio; vision) {nats:.2f} nats")
