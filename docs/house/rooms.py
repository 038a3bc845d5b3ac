"""The rooms of a package, read from its source: what each says of itself, and what it imports."""

import ast
from dataclasses import dataclass
from pathlib import Path

GROUND = frozenset({"config", "environment", "errors", "figures", "files", "html", "types"})
"""What every other room may import; of ours it imports only itself."""


@dataclass(frozen=True)
class Room:
    """A folder or a module directly below the package.

    phrase: what its docstring begins with. inner: the folders within it. imports: other rooms.
    """

    name: str
    phrase: str
    inner: tuple[str, ...]
    files: tuple[Path, ...]
    imports: frozenset[str]

    @property
    def sign(self) -> str:
        """Its name as a path: `data/`, `types.py`."""
        return f"{self.name}/" if self.files[0].name == "__init__.py" else f"{self.name}.py"


def rooms(source: Path) -> dict[str, Room]:
    """By name; what only starts the package (`__init__.py`, `__main__.py`) is no room."""
    inside = {p.stem: p for p in sorted(source.iterdir()) if p.suffix == ".py" or _is_package(p)}
    names = [name for name in inside if not name.startswith("__")]
    return {name: _room(inside[name], set(names)) for name in names}


def imports(path: Path, package: str = "infofuse") -> set[str]:
    """The names directly below the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {f"{package}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    below = (name.removeprefix(f"{package}.") for name in found if name.startswith(f"{package}."))
    return {name.split(".")[0] for name in below}


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").is_file()


def _room(path: Path, names: set[str]) -> Room:
    # Sorted by the whole path, __init__.py is the first, as _ precedes a to z.
    files = sorted(path.glob("*.py")) + sorted(path.glob("*/**/*.py")) if path.is_dir() else [path]
    own = {name for file in files for name in imports(file, path.parent.name)} & names
    inner = [p.name for p in sorted(path.iterdir()) if _is_package(p)] if path.is_dir() else []
    phrase = _phrase(ast.get_docstring(ast.parse(files[0].read_text(encoding="utf-8"))) or "")
    return Room(path.stem, phrase, tuple(inner), tuple(files), frozenset(own - {path.stem}))


def _phrase(docstring: str) -> str:
    """The first sentence, up to a colon if that ends a phrase; a single word before it is left out.

    "Models: a batch in, an output out." is what comes in and out, "Data sets: what they are." is
    all of that, and "From media files to features: decoding, extractors." ends at the colon.
    """
    sentence = " ".join(docstring.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
    sentence = sentence.replace("`", "")
    head, _, rest = sentence.partition(": ")
    said = {1: rest or head, 2: sentence}.get(len(head.split()), head)
    return said[:1].upper() + said[1:]
