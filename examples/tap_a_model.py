"""A dependence term for somebody else's model, which returns a score and nothing besides.

The model is not changed: its encoders' outputs are tapped by name while it trains. One of them
returns a sequence, so the caller says how it becomes one vector per clip. Runs in seconds:

    python examples/tap_a_model.py
"""

import torch
from torch import nn

from infofuse.measures import GaussianInformation, InfoNCE
from infofuse.objectives import tap


class Model(nn.Module):
    """As it came: two encoders, a head, and a forward that keeps its views to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict(
            {"text": nn.Linear(24, 16), "audio": nn.GRU(8, 16, batch_first=True)}
        )
        self.head = nn.Linear(32, 1)

    def forward(self, text: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
        steps, _ = self.encoder["audio"](audio)
        return self.head(torch.cat([self.encoder["text"](text), steps[:, -1]], dim=1))


def batch(size: int = 64) -> tuple[torch.Tensor, ...]:
    """Two noisy looks at the same two numbers, and their sum to be predicted."""
    shared = torch.randn(size, 2)
    text = torch.randn(size, 24) + shared.repeat(1, 12)
    audio = torch.randn(size, 5, 8) + shared.repeat(1, 4)[:, None]
    return text, audio, shared.sum(1, keepdim=True)


def train(weight: float, steps: int = 200) -> tuple[float, float]:
    """Mean error and mutual information (nats) on fresh data after training."""
    torch.manual_seed(0)
    model, nce = Model(), InfoNCE(16, 16)
    optimizer = torch.optim.Adam([*model.parameters(), *nce.parameters()], lr=3e-3)
    last_step = {"audio": lambda returned: returned[0][:, -1]}
    with tap(model, text="encoder.text", audio="encoder.audio", select=last_step) as views:
        for _ in range(steps):
            text, audio, target = batch()
            loss = (model(text, audio) - target).abs().mean()
            loss = loss - weight * nce(views["text"], views["audio"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            text, audio, target = batch(2048)
            error = (model(text, audio) - target).abs().mean()
            return error.item(), GaussianInformation()(views["text"], views["audio"]).item()


if __name__ == "__main__":
    for weight in (0.0, 0.1):
        error, nats = train(weight)
        print(f"weight {weight}: error {error:.3f}, I(text; audio) {nats:.2f} nats")
