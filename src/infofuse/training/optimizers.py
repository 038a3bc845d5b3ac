"""Who learns how fast: parameter groups, and the gradient's largest norm."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Adam

from infofuse.objectives import Objective
from infofuse.training.recipe import TrainConfig


def optimizers(
    model: nn.Module, objective: Objective, config: TrainConfig
) -> tuple[Adam, Adam | None]:
    """Adam for the model and what trains with it; another for the estimators, if there are any.

    One serves both kinds of estimators: it leaves out those that have no gradient.
    """
    text = _learning(p for m in _pretrained(model) for p in m.parameters())
    estimators = _learning([*objective.estimators("epoch"), *objective.estimators("inner")])
    apart = {id(p) for p in [*text, *estimators]}
    main = [
        p for p in _learning([*model.parameters(), *objective.parameters()]) if id(p) not in apart
    ]
    groups = [
        {"params": main, "lr": config.lr, "weight_decay": config.weight_decay},
        {"params": text, "lr": config.lr_text, "weight_decay": config.weight_decay_text},
    ]
    first = Adam([g for g in groups if g["params"]], fused=True)
    if not estimators:
        return first, None
    decay = config.weight_decay
    return first, Adam(estimators, lr=config.lr_estimator, weight_decay=decay, fused=True)


def _pretrained(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if getattr(m, "pretrained", False)]


def _learning(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [p for p in parameters if p.requires_grad]


def clip_gradients(modules: Iterable[nn.Module], largest: float) -> None:
    """Scale all gradients so that their joint norm is at most `largest`."""
    with_gradient = [p for m in modules for p in m.parameters() if p.grad is not None]
    torch.nn.utils.clip_grad_norm_(with_gradient, largest)
