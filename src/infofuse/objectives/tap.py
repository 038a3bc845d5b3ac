"""Hidden representations of a model that does not return them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.errors import unknown

Select = Callable[[Any], Tensor]
Hook = Callable[[nn.Module, Any, Any], None]


class Views(dict[str, Float[Tensor, "batch _"]]):
    """Views by name, of the model's last forward."""

    def __missing__(self, name: str) -> Tensor:
        raise KeyError(f"no view {name!r}: it was not tapped, or did not run in the last forward")


@contextmanager
def tap(
    model: nn.Module, /, *, select: Mapping[str, Select] | None = None, **names: str
) -> Iterator[Views]:
    """Record the outputs of named submodules as views of shape (batch, width), with gradients.

        with tap(model, text="encoder.text", audio="encoder.audio") as views:
            loss = task(model(x), y) - 0.1 * nce(views["text"], views["audio"])

    names: a submodule's path, as in `model.named_modules()`, by the view's name. select: by
    view, a function from what the submodule returns to the tensor that is meant, where it is a
    tuple, another object, or a sequence: `select={"text": lambda out: out[0].mean(1)}`.

    Each forward of the model clears the views of the one before; of a submodule that runs twice
    in a forward, the last output counts. Only what goes through `model(...)` and the submodule's
    own call is seen. The hooks go at the end of the block, the last views stay.

    InfofuseError: no such submodule. While the model runs, TypeError for an output that is no
    tensor, and ValueError for one of another shape.
    """
    chosen = dict(select or {})
    for name in chosen.keys() - names.keys():
        raise unknown("view", name, names)
    modules = dict(model.named_modules(remove_duplicate=False))
    for path in names.values():
        if path not in modules:
            raise unknown("submodule", path, filter(None, modules))
    views = Views()
    with ExitStack() as hooks:
        hooks.enter_context(model.register_forward_pre_hook(lambda *_: views.clear()))
        for name, path in names.items():
            record = _recorder(views, name, chosen.get(name))
            hooks.enter_context(modules[path].register_forward_hook(record))
        yield views


def _recorder(views: Views, name: str, select: Select | None) -> Hook:
    def record(module: nn.Module, _: Any, output: Any) -> None:
        view = output if select is None else select(output)
        _check(view, name)
        views[name] = view

    return record


def _check(view: Any, name: str) -> None:
    """A view is a tensor of shape (batch, width); say how to make it one."""
    remedy = f"say which tensor (batch, width) is meant with select={{{name!r}: function}}"
    if not isinstance(view, Tensor):
        raise TypeError(f"the view {name!r} is a {type(view).__name__}, not a tensor; {remedy}")
    if view.ndim != 2:
        raise ValueError(f"the view {name!r} is of shape {tuple(view.shape)}; {remedy}")
