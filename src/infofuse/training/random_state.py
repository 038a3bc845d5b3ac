"""Where torch's random numbers stand: on the CPU, and on the device if that is another."""

from collections.abc import Mapping

import torch
from torch import Tensor

CPU = torch.device("cpu")


def random_state(device: torch.device) -> dict[str, Tensor]:
    """By kind of device, as safetensors can hold it."""
    state = {"cpu": torch.get_rng_state()}
    return state | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Go back there. What was kept of another kind of device is left alone."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
