"""Building a model from what a file says of it, in no more memory than its weights call for."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from infofuse.errors import InfofuseError

_FROM_A_FILE = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)

# An objective's own parts are built too and not all kept, and some parts of pretrained encoders
# are built and dropped: several times what the file holds is right, thousands of times is not.
_TIMES, _MORE_NUMBERS, _MORE_PARAMETERS = 8, 1 << 25, 4096


@contextlib.contextmanager
def no_larger_than(weights: Path) -> Iterator[None]:
    """Within the block, parameters out of all proportion to a file of weights are refused.

    They are refused as the first ones too many are made, so that neither a million layers nor a
    layer of a million units is ever built. What else goes wrong is said in one sentence, as what
    is built comes from a file.
    """
    tensors, numbers = _size(weights)
    left = {"parameters": _TIMES * tensors + _MORE_PARAMETERS}
    left["numbers"] = _TIMES * numbers + _MORE_NUMBERS

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        left["parameters"] -= 1
        left["numbers"] -= 0 if parameter is None else parameter.numel()
        if min(left.values()) < 0:
            raise InfofuseError(
                f"{weights.parent} describes a model far larger than its {weights.name}, which has "
                f"{tensors:,} tensors of {numbers:,} numbers: take the folder from where it was "
                f"trained, or train it again"
            )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    except InfofuseError:
        raise
    except _FROM_A_FILE as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InfofuseError(
            f"{weights.parent} describes no model that can be built ({said}): take the folder from "
            f"where it was trained, or train it again"
        ) from error
    finally:
        hook.remove()


def _size(weights: Path) -> tuple[int, int]:
    """Tensors and numbers in a file of weights, from its header alone."""
    try:
        with safe_open(weights, "pt") as file:
            names = list(file.keys())
            return len(names), sum(math.prod(file.get_slice(n).get_shape()) for n in names)
    except (OSError, SafetensorError) as error:
        said = str(error).strip().splitlines()[0]
        raise InfofuseError(f"{weights} does not hold the weights of this model: {said}") from None
