"""The one training loop: every paper goes through it."""

import math
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from infofuse.data.loader import Loader, drop_modalities
from infofuse.data.spec import DataSpec
from infofuse.environment import keep_freed_memory
from infofuse.errors import InfofuseError
from infofuse.objectives import Objective
from infofuse.objectives.gather import whole_batches
from infofuse.objectives.objective import Apart, start_epoch
from infofuse.training import checkpoint
from infofuse.training.meter import Meter
from infofuse.training.observer import Observer, Step
from infofuse.training.optimizers import clip_gradients, optimizers
from infofuse.training.predict import predict
from infofuse.training.processes import fabric_of
from infofuse.training.progress import Means, Progress
from infofuse.training.recipe import Recipe
from infofuse.training.share import Share, agree, average_gradients
from infofuse.training.state import STATE, TrainingState
from infofuse.types import Batch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

SNAPSHOT_SECONDS = 30.0
"""At least so long between two snapshots: they cost as much as a few training steps."""


@dataclass(frozen=True)
class TrainingData:
    """The clips that are trained on, and those by which an epoch is chosen."""

    train: Loader
    valid: Loader
    spec: DataSpec


@dataclass(frozen=True)
class Workplace:
    """Where a training keeps its snapshots and checkpoints.

    facts: what checkpoints say beside the recipe. snapshot_seconds: at least so long between two
    snapshots.
    """

    folder: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    snapshot_seconds: float = SNAPSHOT_SECONDS


class Trainer:
    """Trains a model on an objective, keeping the checkpoint that is best on validation clips.

    It is given training and validation clips and never sees others (under the protocol "release",
    test clips stand where validation clips should: `Recipe.chosen_by`). The workplace's folder
    holds snapshots while it runs, and `checkpoint` in it the selected model afterwards; started
    again on the same folder, it goes on where it was.

    fabric: of a run in several processes, launched (`infofuse.training.processes`). Each makes a
    Trainer of its own, of the same things. They share every batch (`Share`), the first of them
    writes, and the weights are those of one process.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        data: TrainingData,
        recipe: Recipe,
        workplace: Workplace,
        observer: Observer | None = None,
        fabric: "Fabric | None" = None,
    ):
        self.recipe, self.config, self.data = recipe, recipe.train, data
        self.train_loader, self.folder = data.train, workplace.folder
        self.workplace, self._last_snapshot = workplace, time.monotonic()
        self.observer = observer or Observer()
        self.fabric = fabric or fabric_of(self.config)
        main, estimators = optimizers(model, objective, self.config)
        self.raw_model, self.objective = model, objective.to(self.fabric.device)
        self.model = self.fabric.setup_module(model)
        self.share = None
        if self.fabric.world_size > 1:
            agree(model, objective)
            self.share = Share(model, self.fabric.device)
        self.main = self.fabric.setup_optimizers(main)
        self.estimators = self.fabric.setup_optimizers(estimators) if estimators else None
        self.progress = Progress()
        kept = {"main": main} | ({"estimators": estimators} if estimators else {})
        modules = {"model": model, "objective": objective}
        self.state = TrainingState(self.folder / STATE, modules, kept, self.fabric.device)

    def fit(self) -> Progress:
        """Train until the patience or the epochs are used up; returns the history."""
        keep_freed_memory()
        restored = self.state.restore()
        if restored:
            self.progress = Progress(**restored)
            self.observer.epoch_ends(self.progress)
        with whole_batches():
            while not self.progress.finished(self.config):
                self._epoch()
                if self.writes and self._snapshot_due:
                    self._snapshot()
                self.observer.epoch_ends(self.progress)
        self._finish()
        return self.progress

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.fabric.is_global_zero

    @property
    def _snapshot_due(self) -> bool:
        return time.monotonic() - self._last_snapshot >= self.workplace.snapshot_seconds

    def _epoch(self) -> None:
        started = time.perf_counter()
        number = self.progress.epoch + 1
        start_epoch(self.objective)
        if self.share:
            self.share.begin_epoch(self.train_loader.seed, number)
        record = self._first_pass(number) | self._train_pass(number)
        meter = Meter(self.config.measure)
        scores = self._validate(number, meter)
        self._select(number, scores)
        chosen_by = self.recipe.chosen_by
        record |= {f"{chosen_by}_{k}": v for k, v in scores.items()} | meter.read()
        record |= {"epoch": number, "seconds": round(time.perf_counter() - started, 2)}
        self.progress.history.append(record)
        self.progress.epoch = number

    def _first_pass(self, number: int) -> dict[str, float]:
        """Fit the measures that learn apart; the encoders are fixed and need no gradient."""
        self.model.train()
        self.objective.train()
        losses = Means()
        # An order of its own: epochs of the two passes never coincide.
        batches = islice(self.train_loader.epoch(-number % 2**32), self._first_batches)
        for batch in self._watched(batches, number, 0, "estimators"):
            self._fit_estimators(batch, "epoch", losses)
        return losses.means()

    def _fit_estimators(self, batch: Batch, fit: Apart, losses: Means) -> None:
        """One step of the measures that learn apart in this way, the model being fixed."""
        with torch.no_grad():
            output = self.model(batch)
        loss = self.objective.learning_loss(output, batch, fit)
        if loss is not None:
            self.fabric.backward(loss)
            self._step(self.estimators)
            losses.add("estimators" if fit == "epoch" else "inner", loss, len(batch))

    def _train_pass(self, number: int) -> dict[str, float]:
        self.model.train()
        self.objective.train()
        values = Means()
        batches = self.train_loader.epoch(number)
        others = self._inner_batches(number)
        watched = self._watched(batches, number, self._first_batches, "training")
        for done, batch in enumerate(watched, start=1):
            if (done - 1) % self.config.accumulate == 0:
                for other in islice(others, self.objective.inner_steps):
                    self._fit_estimators(other, "inner", values)
            batch = drop_modalities(batch, self.config.modality_dropout)
            terms = self.objective(self.model(batch), batch)
            loss = torch.stack([term.loss for term in terms.values()]).sum()
            self.fabric.backward(loss / self._together(done))
            if done % self.config.accumulate == 0 or done == len(self.train_loader):
                self._step(self.main)
            values.add("loss", loss, len(batch))
            for name, term in terms.items():
                values.add(name, term.value, len(batch))
        return values.means()

    def _together(self, done: int) -> int:
        """How many batches share the step of this one: fewer at the end of an epoch."""
        size = self.config.accumulate
        before = (done - 1) // size * size
        return min(size, len(self.train_loader) - before)

    def _inner_batches(self, number: int) -> Iterator[Batch]:
        """As many epochs, each in an order of its own, as there are inner steps to a step."""
        rounds = range(1, self.objective.inner_steps + 1)
        orders = (self.train_loader.epoch(number + 2**32 * r) for r in rounds)
        for batch in chain.from_iterable(orders):
            yield drop_modalities(batch.to(self.fabric.device), self.config.modality_dropout)

    def _step(self, optimizer: Any) -> None:
        if self.share:
            average_gradients([*self.raw_model.parameters(), *self.objective.parameters()])
        clip_gradients([self.raw_model, self.objective], self.config.clip)
        optimizer.step()
        for module in (self.raw_model, self.objective):
            module.zero_grad()

    def _validate(self, number: int, meter: Meter) -> dict[str, float]:
        self.observer.step(Step(number, self.config.epochs, 1, 1, "validation"))
        self.model.eval()
        self.objective.eval()
        prediction = predict(self.model, self.data.valid, self.fabric.device, meter.watch)
        return self.data.spec.task.score(prediction, self.data.valid.labels)

    def _select(self, number: int, scores: dict[str, float]) -> None:
        """Keep this epoch's model if it is the best so far."""
        score = self.data.spec.task.regret(scores)
        best = self.progress.best
        if math.isnan(score) or (best is not None and score >= best):
            return
        self.progress.best, self.progress.best_epoch = score, number
        if self.writes:
            facts = {**self.workplace.facts} | {"epoch": number, self.recipe.chosen_by: scores}
            what = (self.raw_model, self.objective, self.recipe, self.data.spec, facts)
            checkpoint.save(self._kept(number), *what, learnt_only=True)

    def _kept(self, epoch: int) -> Path:
        return self.folder / f"checkpoint-{epoch:04d}"

    def _snapshot(self) -> None:
        self.state.save(self.progress.epoch, vars(self.progress))
        self._last_snapshot = time.monotonic()
        self._keep_only_the_best()

    def _keep_only_the_best(self) -> None:
        """Remove checkpoints that neither the newest snapshot nor the end of the run will need."""
        for kept in self.folder.glob("checkpoint-*"):
            if kept != self._kept(self.progress.best_epoch):
                shutil.rmtree(kept)

    def _finish(self) -> None:
        """Make the selected epoch's weights a checkpoint, and give it its name."""
        if self.progress.best_epoch == 0:
            raise InfofuseError(
                "the validation score was never a number: look at the labels and features "
                "(`infofuse doctor DATA`), or lower train.lr"
            )
        if not self.writes:
            return
        self._keep_only_the_best()
        kept, final = self._kept(self.progress.best_epoch), self.folder / "checkpoint"
        if kept.is_dir():  # else it has its name, and the run was killed right after
            checkpoint.complete(kept, self.raw_model, self.recipe)
            shutil.rmtree(final, ignore_errors=True)
            kept.replace(final)

    @property
    def _first_batches(self) -> int:
        """Batches of the estimators' pass."""
        needed = next(self.objective.estimators("epoch"), None) is not None
        return round(self.config.first_pass * len(self.train_loader)) if needed else 0

    def _watched(
        self, batches: Iterator[Batch], epoch: int, done: int, what: str
    ) -> Iterator[Batch]:
        """The batches on the device, each reported; `done` came before in this epoch."""
        total = self._first_batches + len(self.train_loader)
        for i, batch in enumerate(batches, start=done):
            self.observer.step(Step(epoch, self.config.epochs, i, total, what))
            yield batch.to(self.fabric.device)
