"""Who learns how fast: parameter groups, and the gradient's largest norm."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Adam

from infofuse.errors import unknown
from infofuse.objectives import Objective
from infofuse.training.recipe import TrainConfig


def optimizers(
    model: nn.Module, objective: Objective, config: TrainConfig
) -> tuple[Adam, Adam | None]:
    """Adam for the model and what trains with it; another for the estimators, if there are any.

    One serves both kinds of estimators: it leaves out those that have no gradient. Raises
    InfofuseError if `config.parts` names no part of the model.
    """
    text = {id(p) for m in _pretrained(model) for p in m.parameters()}
    estimators = _learning([*objective.estimators("epoch"), *objective.estimators("inner")])
    apart = {id(p) for p in estimators}
    named = [*model.named_parameters(), *objective.named_parameters()]
    _refuse_unknown(config, [name for name, _ in named])
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, p in sorted(named, key=lambda pair: id(pair[1]) in text):
        if p.requires_grad and id(p) not in apart:
            groups.setdefault(_rates(name, id(p) in text, config), []).append(p)
    first = Adam(
        [{"params": g, "lr": lr, "weight_decay": decay} for (lr, decay), g in groups.items()],
        fused=True,
    )
    if not estimators:
        return first, None
    decay = config.weight_decay_estimator
    return first, Adam(estimators, lr=config.lr_estimator, weight_decay=decay, fused=True)


def _rates(name: str, text: bool, config: TrainConfig) -> tuple[float, float]:
    """Learning rate and weight decay of a parameter; the longest part of its name counts."""
    lr, decay = config.lr, config.weight_decay
    if text:
        lr, decay = config.lr_text, config.weight_decay_text
    for part in sorted(p for p in config.parts or {} if name.startswith(p)):
        own = (config.parts or {})[part]
        lr = lr if own.lr is None else own.lr
        decay = decay if own.weight_decay is None else own.weight_decay
    return lr, decay


def _refuse_unknown(config: TrainConfig, names: list[str]) -> None:
    """By the first word alone: a recipe may name the encoder of a modality that the data lacks."""
    known = {name.split(".")[0] for name in names}
    for part in config.parts or {}:
        if part.split(".")[0] not in known:
            raise unknown("part of the model", part, known)


def _pretrained(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if getattr(m, "pretrained", False)]


def _learning(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [p for p in parameters if p.requires_grad]


def clip_gradients(modules: Iterable[nn.Module], largest: float) -> None:
    """Scale all gradients so that their joint norm is at most `largest`."""
    with_gradient = [p for m in modules for p in m.parameters() if p.grad is not None]
    torch.nn.utils.clip_grad_norm_(with_gradient, largest)
