"""A checkpoint is a folder from which a model is rebuilt with nothing else.

config.json            paper, its Config, the data's spec, validation scores, versions, and the
                       digest of each of the other files (see `training.seal`)
model.safetensors      weights and buffers
critics.safetensors    the statistical networks of dependency penalties, if there are any
calibration.json       how far off it is on validation clips (see `training.calibration`)
text_encoder/          the text encoder's shape and tokenizer, if there is one
README.md              a model card
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from infofuse import papers
from infofuse.data.spec import DataSpec
from infofuse.encoders import Transcript
from infofuse.encoders.pretrained import shape_from
from infofuse.errors import InfofuseError, as_system_error, listed
from infofuse.files import checked_object, number, read_json, replacing, write_json, write_text
from infofuse.objectives import DependencyPenalty, Objective
from infofuse.training.rebuild import no_larger_than
from infofuse.training.recipe import PEEKED, Recipe, resolve
from infofuse.training.seal import check_seal, seal, sealed

FORMAT = 1
WEIGHTS, CRITICS, TEXT = "model.safetensors", "critics.safetensors", "text_encoder"
CALIBRATION = "calibration.json"


def save(
    path: Path,
    model: nn.Module,
    objective: Objective,
    recipe: Recipe,
    spec: DataSpec,
    facts: dict[str, Any],
    *,
    learnt_only: bool = False,
) -> None:
    """Write the checkpoint folder, whole or not at all. `facts` go into config.json as they are.

    learnt_only: leave out what training does not change, until `complete` makes it a checkpoint. A
    frozen text encoder, most of many models, is so written once a run and not at each best epoch.
    """
    content = {
        "format": FORMAT,
        "paper": recipe.paper,
        "model": recipe.to_dict()["model"],
        "plus": recipe.to_dict().get("plus", {}),
        "spec": spec.to_json(),
        **({"protocol": recipe.protocol} if recipe.protocol != "honest" else {}),
        **facts,
    }
    tensors, later = model.state_dict(), _frozen(model) if learnt_only else {}
    with replacing(path) as new:
        new.mkdir()
        write_json(new / "config.json", content)
        save_tensors({n: t for n, t in tensors.items() if n not in later}, new / WEIGHTS)
        if penalties := _penalties(objective):
            save_tensors(_critics(penalties).state_dict(), new / CRITICS)
        if not learnt_only:
            _describe(new, model, recipe)
            seal(new)


def complete(path: Path, model: nn.Module, recipe: Recipe) -> None:
    """Add to a folder of `save(…, learnt_only=True)` what it lacks; again does no harm."""
    if frozen := _frozen(model):
        with replacing(path / WEIGHTS) as new:
            save_tensors(frozen | load_file(path / WEIGHTS), new)
    _describe(path, model, recipe)
    seal(path)


def _describe(path: Path, model: nn.Module, recipe: Recipe) -> None:
    for encoder in _text_encoders(model):
        encoder.save(path / TEXT)
    write_text(path / "README.md", card(recipe, read_config(path)))


def _frozen(model: nn.Module) -> dict[str, Tensor]:
    """The parameters that do not learn, by their names in the state."""
    state = model.state_dict(keep_vars=True).items()
    return {n: t for n, t in state if isinstance(t, nn.Parameter) and not t.requires_grad}


def load(path: str | Path) -> nn.Module:
    """Rebuild the model of a checkpoint folder, in evaluation mode.

    Raises InfofuseError if the folder is not a checkpoint that this version can read, or if its
    files do not belong together.
    """
    return load_with_penalties(Path(path))[0]


def load_with_penalties(path: Path) -> tuple[nn.Module, list[DependencyPenalty]]:
    """The model as `load` gives it, and the dependency penalties that it was trained with."""
    config = read_config(path)
    check_seal(path, config, sealed(config) - {CALIBRATION})
    with no_larger_than(path / WEIGHTS), shape_from(path / TEXT):
        model, objective = _built(config)
    load_tensors(model, path / WEIGHTS)
    penalties = _penalties(objective)
    if penalties:
        load_tensors(_critics(penalties), path / CRITICS)
    return model.eval(), [penalty.eval() for penalty in penalties]


def _built(config: dict[str, Any]) -> tuple[nn.Module, Objective]:
    """Model and objective as a checkpoint's config.json describes them, untrained."""
    tables = {"paper": config["paper"], "data": "given", "model": config["model"]}
    recipe = resolve(tables | {"plus": config.get("plus", {})})
    return papers.build(recipe.paper, recipe.model, spec_of(config), recipe.plus)


def _penalties(objective: Objective) -> list[DependencyPenalty]:
    return [m for m in objective.modules() if isinstance(m, DependencyPenalty)]


def _critics(penalties: Iterable[DependencyPenalty]) -> nn.ModuleList:
    return nn.ModuleList(penalty.measure for penalty in penalties)


def read_config(path: Path) -> dict[str, Any]:
    """config.json of a checkpoint folder, its format checked."""
    if not (path / "config.json").is_file():
        raise InfofuseError(f"{path} is not a checkpoint: it has no config.json")
    config = read_json(path / "config.json")
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise InfofuseError(f"{path} is not a checkpoint of format {FORMAT}, which is read here")
    return checked_object(config, path / "config.json", _WANTED, _ALLOWED)


_WANTED = {"paper": str, "model": dict, "spec": dict}
_ALLOWED = {"plus": dict, "files": dict, "protocol": str, "data_fingerprint": str}


def spec_of(config: dict[str, Any]) -> DataSpec:
    """The kind of data that the checkpoint was trained on."""
    return DataSpec.from_json(config["spec"])


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write named tensors; those that share memory are written each.

    Raises OSError if the disk is full or the file may not be so large, as other files do.
    """
    try:
        save_file({name: t.detach().contiguous().clone() for name, t in tensors.items()}, path)
    except SafetensorError as error:
        raise as_system_error(error, path) or error from None


def load_tensors(module: nn.Module, path: Path) -> None:
    """Fill a module from a file of named tensors that fits it exactly."""
    try:
        found = load_file(path)
        why = _misfit(module.state_dict(), found)
    except (OSError, SafetensorError) as error:
        why = str(error).strip().splitlines()[0]
    if why:
        raise InfofuseError(f"{path} does not hold the weights of this model: {why}")
    module.load_state_dict(found)


def _misfit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """The first few tensors that are not there, not wanted or of another shape; "" if none is."""
    shapes = {n: (tuple(t.shape), tuple(wanted[n].shape)) for n, t in found.items() if n in wanted}
    kinds = {
        "it lacks": [n for n in wanted if n not in found],
        "it has besides": [n for n in found if n not in wanted],
        "of another shape": [f"{n} {a} for {b}" for n, (a, b) in shapes.items() if a != b],
    }
    return "; ".join(f"{kind} {listed(names, 3)}" for kind, names in kinds.items() if names)


def _text_encoders(model: nn.Module) -> list[Transcript]:
    return [m for m in model.modules() if isinstance(m, Transcript)]


def card(recipe: Recipe, content: dict[str, Any]) -> str:
    """A model card: what it is, what it was trained on, how to load it, what it is not for.

    content: of config.json.
    """
    spec = spec_of(content)
    paper = papers.get(recipe.paper).PAPER
    split = "Validation" if recipe.protocol == "honest" else "TEST"
    peeked = f"\n**{PEEKED}**\n" if recipe.protocol == "release" else ""
    found = content.get(recipe.chosen_by, {})
    scores = "\n".join(f"| {k} | {number(v):.4f} |" for k, v in found.items())
    authors = ", ".join(paper.authors)
    status = "A reconstruction of" if paper.reconstruction else "An implementation of"
    config = json.dumps(_brief(recipe), indent=2, default=dataclasses.asdict)
    return f"""# {recipe.paper} on {spec.name}

{status} {authors}: *{paper.title}*
({paper.place}).
Modalities: {", ".join(spec.modalities)}.
{peeked}
```python
import infofuse
model = infofuse.load("path/to/this/folder")
```

{split} scores of the selected epoch ({content.get("epoch", "unknown")}):

| metric | value |
|---|---|
{scores}

What differs from the defaults:

```json
{config}
```

It scores the affect that a clip expresses, as annotators of its training data would. It does not
read minds, and is not meant for decisions about people.
"""


def _brief(recipe: Recipe) -> dict[str, Any]:
    """The choices that are not defaults."""
    chosen = {"model": recipe.model, "train": recipe.train}
    changed = {
        f"{table}.{field.name}": getattr(config, field.name)
        for table, config in chosen.items()
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != _default(field)
    }
    return changed | {f"plus.{name}": choices for name, choices in recipe.plus.items()}


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()
