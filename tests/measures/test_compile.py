"""torch.compile captures each measure as one graph, of the same value and gradients.

In a process of its own, without the type checks that pytest adds to the library's functions: a
user compiles plain ones. What is shown is the capture (fullgraph, backend "eager"), and for one
measure of each kind the graph of the gradient as well ("aot_eager"). Code is not generated: that
asks for a C++ compiler and takes many seconds a measure.
"""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from infofuse import measures
from infofuse.measures import Measure
from infofuse.measures.catalogue import catalogue

pytestmark = pytest.mark.slow
DIM = 4
NAMES = [entry.name for entry in catalogue()]


def build(name: str) -> Measure:
    torch.manual_seed(0)
    cls = getattr(measures, name)
    options = inspect.signature(cls).parameters
    if "dims" in options:
        return cls([DIM, DIM])
    return cls(DIM, DIM) if "dim_x" in options else cls()


def value_and_gradients(name: str, what: str, wrap: Callable[..., Callable]) -> list[Tensor]:
    measure = build(name)
    views = [torch.randn(8, DIM, requires_grad=name != "KSG") for _ in range(2)]
    value = wrap(getattr(measure, what))(*views)
    if not value.requires_grad:
        return [value]
    value.backward()
    leaves = [*views, *measure.parameters()]
    return [value.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def compare(name: str, backend: str) -> str:
    """What went wrong; nothing if nothing did."""
    own_loss = type(build(name)).learning_loss is not Measure.learning_loss
    for what in ["forward", *["learning_loss"] * own_loss]:
        torch._dynamo.reset()
        compiled = lambda f: torch.compile(f, fullgraph=True, backend=backend)  # noqa: E731
        try:
            found = value_and_gradients(name, what, compiled)
            expected = value_and_gradients(name, what, lambda f: f)
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        except Exception as error:  # any of them is the finding
            return f"{what}: {error}"
    return ""


def run(backend: str, *names: str) -> dict[str, str]:
    words = [sys.executable, __file__, backend, *names]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def captured() -> dict[str, str]:
    return run("eager", *NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_one_graph_gives_the_same_value_and_gradients(name: str, captured: dict[str, str]) -> None:
    assert captured[name] == ""


def test_so_does_the_graph_of_the_gradient() -> None:
    kinds = ("InfoNCE", "GaussianInformation", "HSIC")
    assert run("aot_eager", *kinds) == dict.fromkeys(kinds, "")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({name: compare(name, sys.argv[1]) for name in sys.argv[2:]}))
