"""Labels of single modalities, generated from where clips lie in the views of a model."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from infofuse.errors import InfofuseError
from infofuse.objectives.objective import Objective, Term
from infofuse.objectives.processes import of_every_process
from infofuse.types import Batch, Clips, Output

Variant = Literal["paper", "release"]

TINY = 1e-8  # in denominators
NO_SIDE = 1e-3  # |a_m| below which a clip lies between the classes: a ratio to it says nothing


class UnimodalLabels(Objective):
    """sum over modalities s of weight * mean_clips tanh|y_s - y_m| |p_s - y_s|.

    p_s is the model's prediction from s alone, y_m the human label, y_s the label generated for
    s. It starts at y_m, and moves in each epoch e >= 2, at most once, at the clip's batch, by

        y_s <- (e - 1)/(e + 1) y_s + 2/(e + 1) y_s',     y_s' = 1/2 (a_s / a_m) y_m
                                                              + 1/2 (y_m + a_s - a_m),

    y_s' clamped to the range of the labels. a_v says how much nearer to the centre c+ of the
    positive clips than to c-, that of the negative ones, the clip's view h_v lies:

        a_v = (D(h_v, c-) - D(h_v, c+)) / (D(h_v, c+) + eps),

    v one of the modalities or "fused" (m). Centres are means of the newest stored views of the
    clips by the sign of the view's own labels. They are kept as sums, at a cost of O(batch) a
    step, and equal the means over the whole data set.

    widths: of each modality's view and of "fused". label_range: ends of the labels' scale, by
    default those of the training labels. variant: "paper" has D = |h - c|^2 / sqrt(dim), and a
    label of 0 is in neither class; "release", the arithmetic of thuiar/Self-MM, D = |h - c|, and
    0 is positive. weight: 1/3 makes the sum over three modalities their mean.

    Where the formulas fail: y_s stays as it was while a class of the view, or of the fused one,
    is empty; only the difference counts (y_s' = y_m + a_s - a_m) where |a_m| < 0.001; clips that
    were not seen yet are in no centre; a clip without a modality, or without a human label, has
    no label there.

    `begin(clips)` makes room for the training clips, whose rows are `Batch.index`, and must be
    called before training; `start_epoch()` before each epoch. In evaluation mode the labels stay
    as they are. State is in buffers, and the same in all processes of a distributed run.

    Yu et al. 2021 (arXiv 2102.04830), sec. "Unimodal label generation module" and algorithm 1.
    """

    nonnegative = True

    def __init__(
        self,
        widths: Mapping[str, int],
        label_range: tuple[float, float] | None = None,
        variant: Variant = "paper",
        weight: float = 1.0,
        name: str = "task",
    ):
        super().__init__()
        self.label_range, self.variant, self.weight, self.name = label_range, variant, weight, name
        self.centres = nn.ModuleDict(
            {view: ClassCentres(width, variant) for view, width in widths.items()}
        )
        self.modalities = tuple(view for view in widths if view != "fused")
        self.epoch: Tensor
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def begin(self, clips: Clips) -> None:
        if clips.labels.shape[1] != 1:
            raise InfofuseError(
                f"labels of single modalities are generated for one label column; the data has "
                f"{clips.labels.shape[1]}"
            )
        human = torch.from_numpy(clips.labels[:, 0].copy())
        for centres in self._each().values():
            centres.begin(human)
        known = human[~human.isnan()]
        if self.label_range is None and len(known):
            self.label_range = (float(known.min()), float(known.max()))

    def start_epoch(self) -> None:
        """Move on to the next epoch; the first call begins the first."""
        self.epoch += 1

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        """The terms by the labels as they are; then, in training, the labels move on."""
        if not self._each()["fused"].begun:
            raise ValueError(
                "generated labels have no clips yet: call begin(clips) before training"
            )
        terms = {f"{self.name}({m})": self._term(m, output, batch.index) for m in self.modalities}
        if self.training:
            self._move(output, batch.index)
        return terms

    def _each(self) -> dict[str, "ClassCentres"]:
        return dict(self.centres.items())  # type: ignore[arg-type]

    def _term(self, modality: str, output: Output, rows: Int[Tensor, "batch"]) -> Term:
        human, own = (self._each()[v].label[rows] for v in ("fused", modality))
        counts = output.present[modality] & ~own.isnan()
        own, human = own.nan_to_num(), human.nan_to_num()
        error = (own - human).abs().tanh() * (output.unimodal[modality][:, 0] - own).abs()
        loss = self.weight * (error * counts).sum() / counts.sum().clamp(min=1)
        return Term(loss, loss.detach())

    @torch.no_grad()
    def _move(self, output: Output, index: Int[Tensor, "batch"]) -> None:
        if not self.epoch:
            raise ValueError("generated labels have no epoch yet: call start_epoch() before each")
        names = list(self.centres)
        everyone = torch.ones_like(index, dtype=torch.bool)
        here = [output.present.get(name, everyone) for name in names]
        views = [output.views[name].float() for name in names]
        rows, *gathered = of_every_process(index, *here, *views)
        present = dict(zip(names, gathered[: len(names)], strict=True))
        h = dict(zip(names, gathered[len(names) :], strict=True))
        if self.epoch > 1:
            self._relabel(h, present, rows)
        for name, centres in self._each().items():
            kept = present[name]
            centres.store(rows[kept], h[name][kept])

    def _relabel(
        self,
        h: Mapping[str, Float[Tensor, "rows _"]],
        present: Mapping[str, Bool[Tensor, "rows"]],
        rows: Int[Tensor, "rows"],
    ) -> None:
        fused, old_weight = self._each()["fused"], (self.epoch - 1) / (self.epoch + 1)
        a_m, y_m = fused.position(h["fused"]), fused.label[rows]
        for m in self.modalities:
            own = self._each()[m]
            new = candidate(y_m, own.position(h[m]), a_m).clamp(*self.label_range or (None, None))
            old = own.label[rows]
            moved = old_weight * old + 2 / (self.epoch + 1) * new
            own.label[rows] = torch.where(present[m] & moved.isfinite(), moved, old)

    def per_clip(self) -> dict[str, Float[Tensor, "clips"]]:
        """The human label, "multimodal", and each modality's; NaN where there is none."""
        each = self._each()
        own = {m: each[m].label.masked_fill(~each[m].stored, float("nan")) for m in self.modalities}
        return {"multimodal": each["fused"].label.clone(), **own}


def candidate(
    y_m: Float[Tensor, "clips"], a_s: Float[Tensor, "clips"], a_m: Float[Tensor, "clips"]
) -> Float[Tensor, "clips"]:
    """1/2 (a_s / a_m) y_m + 1/2 (y_m + a_s - a_m); the difference alone where a_m is near 0."""
    difference = y_m + a_s - a_m
    ratio = a_s / torch.where(a_m == 0, torch.ones_like(a_m), a_m) * y_m
    return torch.where(a_m.abs() < NO_SIDE, difference, 0.5 * ratio + 0.5 * difference)


class ClassCentres(nn.Module):
    """Each clip's label and newest view, and the means of the positive and negative clips' views.

    A view that is stored again replaces the old one in its class's sum, so the means are those
    over all stored views at the cost of a batch. Sums are in float64, lest they drift.
    """

    def __init__(self, width: int, variant: Variant):
        super().__init__()
        self.width, self.variant, self.begun = width, variant, False

    def begin(self, labels: Float[Tensor, "clips"]) -> None:
        """Begin with these labels and nothing stored."""
        n, self.begun = len(labels), True
        self.label: Tensor
        self.view: Tensor
        self.stored: Tensor
        self.side: Tensor
        self.sums: Tensor
        self.counts: Tensor
        self.register_buffer("label", labels.clone())
        self.register_buffer("view", torch.zeros(n, self.width))
        self.register_buffer("stored", torch.zeros(n, dtype=torch.bool))
        self.register_buffer("side", torch.zeros(n, 2, dtype=torch.bool))
        self.register_buffer("sums", torch.zeros(2, self.width, dtype=torch.float64))
        self.register_buffer("counts", torch.zeros(2, dtype=torch.long))

    def sides(self, labels: Float[Tensor, "rows"]) -> Bool[Tensor, "rows 2"]:
        """Whether a label is among the positive ones, and whether among the negative ones."""
        positive = labels >= 0 if self.variant == "release" else labels > 0
        return torch.stack([positive, labels < 0], dim=1)

    def store(self, rows: Int[Tensor, "rows"], views: Float[Tensor, "rows width"]) -> None:
        """Replace these clips' views (each clip at most once), in the classes of their labels."""
        old, new = self.side[rows], self.sides(self.label[rows])
        self.sums += new.double().T @ views.double() - old.double().T @ self.view[rows].double()
        self.counts += new.sum(0) - old.sum(0)
        self.view[rows], self.side[rows], self.stored[rows] = views, new, True

    def centres(self) -> Float[Tensor, "2 width"]:
        """c+ and c-; NaN for a class without a clip."""
        means = self.sums / self.counts[:, None]
        return means.masked_fill(self.counts[:, None] == 0, float("nan")).float()

    def position(self, views: Float[Tensor, "rows width"]) -> Float[Tensor, "rows"]:
        """(D(h, c-) - D(h, c+)) / (D(h, c+) + eps); NaN while a class is empty."""
        to_positive, to_negative = (self._distance(views, c) for c in self.centres())
        return (to_negative - to_positive) / (to_positive + TINY)

    def _distance(
        self, views: Float[Tensor, "rows width"], centre: Float[Tensor, "width"]
    ) -> Float[Tensor, "rows"]:
        squared = (views - centre).square().sum(1)
        return squared.sqrt() if self.variant == "release" else squared / self.width**0.5
