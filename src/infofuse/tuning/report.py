"""What comes out of a search: the best recipe, every trial, and a picture."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infofuse.errors import InfofuseError
from infofuse.figures import blank, save
from infofuse.files import write_json, write_text
from infofuse.tuning.space import chosen

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from optuna.trial import FrozenTrial

    from infofuse.tuning.search import Plan

ENOUGH = 4
"""Finished trials of different regrets from which importances can be told."""


def write_report(plan: "Plan", trials: Sequence["FrozenTrial"], out: Path) -> dict[str, Any]:
    """Write best.toml, tuning.json, trials.csv and tuning.png; returns what tuning.json says."""
    complete = [t for t in trials if t.state.name == "COMPLETE"]
    rows = [_row(t) for t in trials]
    _write_csv(rows, list(plan.space), out / "trials.csv")
    if not complete:
        reason = next((r["reason"] for r in rows if r["reason"]), "all were stopped")
        raise InfofuseError(f"no trial could be trained to its end; the first one: {reason}")
    best = min(complete, key=lambda t: (t.value, t.number))
    importances = _importances(trials) if len({t.value for t in complete}) >= ENOUGH else {}
    recipe = chosen(plan.recipe, best.params)
    write_text(out / "best.toml", recipe.to_toml())
    found = {
        "paper": recipe.paper,
        "budget": _budget(plan, rows),
        "best": _row(best),
        "importances": importances,
        "trials": rows,
    }
    write_json(out / "tuning.json", found)
    _draw(complete, importances, out / "tuning.png")
    return found


def _row(trial: "FrozenTrial") -> dict[str, Any]:
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(trial.state.name, "failed")
    return {
        "number": trial.number,
        "state": state,
        "regret": trial.value if state == "complete" else None,
        "choices": trial.params,
        **trial.user_attrs,
    }


def _budget(plan: "Plan", rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the search could spend, and what it did: the figures to compare searches by."""
    return {
        "trials": plan.trials,
        "seeds": len(plan.recipe.seeds),
        "epochs_at_most": plan.trials * len(plan.recipe.seeds) * plan.recipe.train.epochs,
        "epochs": sum(row["epochs"] for row in rows),
        **{
            state: sum(row["state"] == state for row in rows)
            for state in ("complete", "pruned", "failed")
        },
    }


def _write_csv(rows: Sequence[dict[str, Any]], keys: Sequence[str], path: Path) -> None:
    text, facts = io.StringIO(), ["epochs", "seconds", "reason"]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["number", "state", "regret", *keys, *facts])
    for row in rows:
        table.writerow(
            [row["number"], row["state"], row["regret"]]
            + [row["choices"][key] for key in keys]
            + [row[fact] for fact in facts]
        )
    write_text(path, text.getvalue())


def _importances(trials: Sequence["FrozenTrial"]) -> dict[str, float]:
    """Each choice's share in what tells good trials from the rest (PED-ANOVA), great ones first."""
    import optuna

    study = optuna.create_study()
    study.add_trials(trials)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _draw(complete: Sequence["FrozenTrial"], importances: dict[str, float], path: Path) -> None:
    """Regret of each trial with the best so far, and the importances beside it."""
    figure = blank((9.0, 3.4))
    left, right = figure.subplots(1, 2)
    _draw_history(left, [t.number for t in complete], [float(t.value or 0) for t in complete])
    names = list(importances)[::-1]
    right.barh(names, [importances[name] for name in names])
    right.set_xlabel("importance" if names else f"importance: after {ENOUGH} finished trials")
    save(figure, path, dpi=150)


def _draw_history(axes: "Axes", numbers: Sequence[int], regrets: Sequence[float]) -> None:
    best = [min(regrets[: i + 1]) for i in range(len(regrets))]
    axes.plot(numbers, regrets, "o", label="finished trial")
    axes.step(numbers, best, where="post", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel("validation regret")
    axes.legend()
