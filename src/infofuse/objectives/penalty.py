"""The penalty of mutual dependency maximisation, on the fusion of any model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from infofuse.measures import MutualDependency
from infofuse.measures.dependency import product_samples
from infofuse.objectives.dependence import constant
from infofuse.objectives.objective import Apart, Objective, Term
from infofuse.types import Batch, Output, Padded

Samples = tuple[Float[Tensor, "n dim"], Float[Tensor, "n dim"]]
Placement = Literal["fused", "codes"]


class DependencyPenalty(Objective):
    """- weight * D(P || Q), P the joint law of the modalities, Q the product of their marginals.

    D, a divergence of `measure`, is seen through its statistical network T, and where T looks is
    the `placement`:
    * "fused" (default): P is the law of Z = f(x_1, ..., x_k), the view "fused" of the model on a
      batch, Q that of Z~ = f on the batch with each modality's clips permuted by themselves, masks
      and lengths with them. So it asks nothing of the model but one fused view, and the gradient
      reaches all of it. A step costs a second fusion of what the encoders made of the batch, if
      they made vectors (`Output.codes`), and else a second pass of the model.
    * "codes": P is the law of the unimodal views side by side, Q that of the views permuted.

    The Wasserstein distance is in units of what T sees, and a model could raise it without end by
    scale alone (LMF did, to 2e10). So there T sees `bounded` samples.

    T learns apart: `unroll` steps, each on a batch of its own and the model being fixed, come
    before each step of the model, in which T is a constant. Only clips that have every modality
    count; a batch with fewer than two of them, or a model of one modality, gives 0.

    A reconstruction of Colombo et al. 2021 (arXiv 2109.00922), sec. 3, of which the placement, the
    alternation and the weight could not be read.
    """

    def __init__(
        self,
        model: nn.Module,
        modalities: Sequence[str],
        measure: MutualDependency,
        weight: float,
        *,
        placement: Placement = "fused",
        unroll: int = 1,
        name: str = "dependency",
    ):
        super().__init__()
        if weight < 0:
            raise ValueError(f"the weight of a penalty is at least 0; found {weight:g}")
        if unroll < 1:
            raise ValueError(f"the statistical network takes at least one step, not {unroll}")
        self.modalities, self.measure, self.weight = tuple(modalities), measure, weight
        self.placement, self.inner_steps, self.name = placement, unroll, name
        self._model = (model,)  # in a tuple, so that its parameters are not ours

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        samples = self._samples(output, batch)
        if samples is None:
            return {self.name: Term.nothing(output)}
        with constant(self.measure):
            value = self.measure.from_samples(*samples)
        return {self.name: Term(-self.weight * value, value.detach())}

    def estimators(self, fit: Apart = "epoch") -> Iterator[nn.Parameter]:
        if fit == "inner":
            yield from self.measure.parameters()

    def learning_loss(
        self, output: Output, batch: Batch, fit: Apart = "epoch"
    ) -> Float[Tensor, ""] | None:
        if fit != "inner":
            return None
        with torch.no_grad():
            samples = self._samples(output, batch)
        return None if samples is None else self.measure.loss_from_samples(*samples)

    def agreement(self, output: Output) -> Float[Tensor, "batch"]:
        """T of each clip: high where its modalities go together, low where they are in conflict.

        It means something for clips that have every modality.
        """
        if self.placement == "fused":
            return self.measure.critic(self._seen(output.views["fused"]))
        codes = torch.cat([output.views[m] for m in self.modalities], 1)
        return self.measure.critic(self._seen(codes))

    def _samples(self, output: Output, batch: Batch) -> Samples | None:
        rows = output.complete(self.modalities).nonzero()[:, 0]
        if len(rows) < 2 or len(self.modalities) < 2:
            return None
        if self.placement == "codes":
            views = [output.views[m][rows] for m in self.modalities]
            joint, product = torch.cat(views, 1), torch.cat(product_samples(*views), 1)
        else:
            joint = output.views["fused"][rows]
            product = self._shuffled(output, batch, rows).views["fused"]
        return self._seen(joint), self._seen(product)

    def _seen(self, samples: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        samples = samples.to(torch.promote_types(samples.dtype, torch.float32))
        return bounded(samples) if self.measure.unit == "distance" else samples

    def _shuffled(self, output: Output, batch: Batch, rows: Int[Tensor, "n"]) -> Output:
        """What the model says of these clips with their modalities shuffled."""
        model, precision = self._model[0], output.autocast
        device = output.prediction.device.type
        with torch.autocast(device, precision, enabled=precision is not None):  # as the output was
            if not output.codes:
                return model(shuffle_modalities(batch, rows))
            codes = {m: output.codes[m][order] for m, order in _orders(output.codes, rows).items()}
            present = {m: output.present[m][rows] for m in codes}  # of all: the rows are complete
            fuse: Any = model.fuse
            return fuse(codes, present)


def bounded(x: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
    """x / (1 + r), r the root mean square of a row: x itself where it is small.

    No row is longer than sqrt(dim), so that two such samples are at most 2 sqrt(dim) apart in
    Wasserstein distance.
    """
    return x / (1 + (x.square().mean(1, keepdim=True) + torch.finfo(x.dtype).tiny).sqrt())


def shuffle_modalities(batch: Batch, rows: Int[Tensor, "n"]) -> Batch:
    """These clips of a batch, each modality's in an order of its own: a sample of the product of
    the modalities' marginals. The first modality keeps its order, and the labels go with it.
    """
    orders = _orders(batch.inputs, rows)
    inputs = {name: _take(x, orders[name]) for name, x in batch.inputs.items()}
    return Batch(inputs, batch.labels[rows], batch.index[rows])


def _orders(modalities: Iterable[str], rows: Int[Tensor, "n"]) -> dict[str, Int[Tensor, "n"]]:
    """An order of these rows for each modality; the first keeps theirs."""
    first, *others = modalities
    return {first: rows} | {m: rows[torch.randperm(len(rows))] for m in others}


def _take(x: Padded, rows: Int[Tensor, "n"]) -> Padded:
    return Padded(x.values[rows], x.lengths[rows])
