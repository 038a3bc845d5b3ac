"""A graph with a vertex for each set of modalities, its edges weighted by what is seen."""

from collections.abc import Mapping
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.fusion.memory import CrossView, Steps

Set = tuple[str, ...]


class DynamicFusionGraph(CrossView):
    """t = D_t([a_tS v_S for every set S of modalities]), v_S = D_S([a_SR v_R for R inside S]).

    The vertex of a single modality is v_m = relu(T_m [h_(t-1); h_t] + b). The efficacies a are one
    number an edge, a network's answer to all single vertices. Each network D is W2 (W1 x + b1) +
    b2, without an activation between.

    hidden: states by modality, which are also the width of its vertex. node: width of the other
    vertices, and of t. inner: of W1.

    Zadeh et al. 2018 (ACL, P18-1208), section 4.1, in the form of its released code, where the
    networks are linear.
    """

    reads = "states"

    def __init__(self, hidden: Mapping[str, int], node: int, inner: int = 100):
        super().__init__()
        self.width = node
        self.singles = nn.ModuleDict({m: nn.Linear(2 * h, h) for m, h in hidden.items()})
        names = tuple(hidden)
        sets = [s for size in range(1, len(names) + 1) for s in combinations(names, size)]
        self.edges = {s: [r for r in sets if set(r) < set(s)] for s in sets if len(s) > 1}
        widths = {s: hidden[s[0]] if len(s) == 1 else node for s in sets}
        self.vertices = nn.ModuleDict(
            {
                _name(s): _linear(sum(widths[r] for r in e), inner, node)
                for s, e in self.edges.items()
            }
        )
        self.top = _linear(sum(widths.values()), inner, node)
        count = sum(map(len, self.edges.values())) + len(sets)
        self.efficacies = nn.Sequential(
            _linear(sum(hidden.values()), inner, node), nn.Linear(node, count)
        )

    def forward(self, before: Steps, now: Steps) -> Float[Tensor, "batch time width"]:
        values: dict[Set, Tensor] = {
            (m,): torch.relu(single(torch.cat([before[m], now[m]], dim=2)))
            for m, single in self.singles.items()
        }
        efficacies = iter(self.efficacies(torch.cat(list(values.values()), dim=2)).split(1, dim=2))
        for target, sources in self.edges.items():
            weighted = [values[s] * next(efficacies) for s in sources]
            values[target] = self.vertices[_name(target)](torch.cat(weighted, dim=2))
        return self.top(torch.cat([v * next(efficacies) for v in values.values()], dim=2))


def _name(modalities: Set) -> str:
    return "+".join(modalities)


def _linear(inputs: int, inner: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, inner), nn.Linear(inner, outputs))
