"""One dependence measure in somebody else's training loop: the three lines are marked.

A small regression from two feature vectors, first as it was, then with the mutual information
between its two hidden views made large. Runs in seconds:

    python examples/own_loop.py
"""

import torch
from torch import nn

from infofuse.measures import GaussianInformation, InfoNCE


class Model(nn.Module):
    """Two encoders and a head, as anybody might have written them."""

    def __init__(self) -> None:
        super().__init__()
        self.audio, self.vision = nn.Linear(24, 16), nn.Linear(32, 16)
        self.head = nn.Linear(32, 1)

    def forward(self, audio: torch.Tensor, vision: torch.Tensor) -> tuple[torch.Tensor, ...]:
        a, v = self.audio(audio).tanh(), self.vision(vision).tanh()
        return self.head(torch.cat([a, v], dim=1)), a, v


def batch(size: int = 64) -> tuple[torch.Tensor, ...]:
    """Two noisy looks at the same two numbers, and their sum to be predicted."""
    shared = torch.randn(size, 2)
    audio = torch.randn(size, 24) + shared.repeat(1, 12)
    vision = torch.randn(size, 32) + shared.repeat(1, 16)
    return audio, vision, shared.sum(1, keepdim=True)


def train(weight: float, steps: int = 300) -> tuple[float, float]:
    """Mean error and mutual information (nats) on fresh data after training."""
    torch.manual_seed(0)
    model = Model()
    nce = InfoNCE(16, 16)  # 1: the measure, with a critic of its own
    parameters = [*model.parameters(), *nce.parameters()]  # 2: which learns with the model
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    for _ in range(steps):
        audio, vision, target = batch()
        prediction, a, v = model(audio, vision)
        loss = (prediction - target).abs().mean()
        loss = loss - weight * nce(a, v)  # 3: nats, a lower bound, made large
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        audio, vision, target = batch(2048)
        prediction, a, v = model(audio, vision)
        # Read by a measure that was not trained on, and that needs no critic.
        return (prediction - target).abs().mean().item(), GaussianInformation()(a, v).item()


if __name__ == "__main__":
    for weight in (0.0, 0.1):
        error, nats = train(weight)
        print(f"weight {weight}: error {error:.3f}, I(audio; vision) {nats:.2f} nats")
