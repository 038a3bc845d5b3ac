"""The stack and the memo by which a pickle builds what it holds."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np

from infofuse.data.unpickle.constructors import CONSTRUCTORS, Hollow, members, pairs

DEEPEST = 100
"""Levels of nesting: what looks at such data calls itself for each."""

TOO_DEEP = f"it is nested more than {DEEPEST} levels deep; save it as arrays"
MOST_ARGUMENTS = 16
MADE = 256
"""About the bytes of an empty set or an array's frame, for a file's one to five."""


class Refused(Exception):
    """The file asks for this, which is more than data."""

    def __init__(self, what: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in what[:120])
        super().__init__(shown)


class Machine:
    """The stack, the memo, and what the opcodes do with them.

    credit: how many items and bytes may be copied in all. room: how many bytes of memory what is
    larger than its opcodes may take in all.
    """

    def __init__(self, credit: int, room: int) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.credit, self.room = credit, room
        self.nested: dict[int, tuple[np.ndarray, int]] = {}  # arrays of objects, and their depth

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def top(self) -> Any:
        return self.last(1, keep=True)[0]

    def last(self, n: int, keep: bool = False) -> list[Any]:
        if len(self.stack) < n:
            raise ValueError("it takes more than it has put there")
        items = self.stack[-n:]
        if not keep:
            del self.stack[-n:]
        return items

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        if not self.outer:
            raise ValueError("it looks for a mark that it did not set")
        items, self.stack = self.stack, self.outer.pop()
        return items

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.drop_mark()

    def drop_mark(self) -> None:
        self.since_mark()

    def remember(self, place: int) -> None:
        value = self.memo[place] = self.top()
        if isinstance(value, Hollow):
            value.place = place

    def recall(self, place: int) -> None:
        if place not in self.memo:
            raise ValueError("it looks for a part that it did not keep")
        self.push(self.memo[place])

    def name(self, module: Any, name: Any) -> None:
        """Push a constructor. Nothing else on the stack can be called."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no string")
        if (module, name) not in CONSTRUCTORS:
            raise Refused(f"{module}.{name}")
        self.push(CONSTRUCTORS[module, name])

    def construct(self) -> None:
        build, arguments = self.last(2)
        if not callable(build) or not isinstance(arguments, tuple):
            raise ValueError(f"it calls a {type(build).__name__}")
        self.pay(arguments)
        self.take(MADE)
        self.push(self.shallow(build(*arguments)))

    def finish(self) -> None:
        hollow, state = self.last(2)
        if not isinstance(hollow, Hollow):
            raise Refused(f"setting the state of a {type(hollow).__name__}")
        if not isinstance(state, tuple):
            raise ValueError("a state that is not a tuple")
        self.pay(state)
        self.take(MADE)
        self.push(self.shallow(hollow.finish(state)))
        if hollow.place is not None:
            self.memo[hollow.place] = self.top()

    def pay(self, arguments: tuple) -> None:
        """Charge for what may be copied, so that no part of a file is copied over and over."""
        if len(arguments) > MOST_ARGUMENTS:
            raise ValueError(f"a call with {len(arguments)} values; at most {MOST_ARGUMENTS} are")
        self.credit -= sum(len(a) for a in arguments if isinstance(a, Sized))
        if self.credit < 0:
            raise ValueError("it copies its own parts over and over")

    def take(self, size: int) -> None:
        """Charge for what is larger in memory than the file lets one think."""
        self.room -= size
        if self.room < 0:
            raise ValueError("it is far larger in memory than as a file; save it as arrays")

    def empty_set(self) -> None:
        self.take(MADE)
        self.push(set())

    def shallow(self, made: Any) -> Any:
        """What was made. Raises ValueError for arrays of objects in arrays of objects, and so on.

        They are checked as they are made: NumPy frees each within the one it lies in, and so the
        process would end where there are thousands.
        """
        if isinstance(made, np.ndarray) and made.dtype.hasobject:
            items = made.flat if self.nested else ()
            inner = (self.nested.get(id(item)) for item in items)
            depth = 1 + max((found[1] for found in inner if found), default=0)
            if depth > DEEPEST:
                raise ValueError(TOO_DEEP)
            self.nested[id(made)] = made, depth
        return made

    def append(self, items: list[Any]) -> None:
        self.container(list).extend(items)

    def set_items(self, flat: list[Any]) -> None:
        self.container(dict).update(pairs(flat))

    def add(self, items: list[Any]) -> None:
        self.container(set).update(members(items))

    def container(self, kind: type) -> Any:
        if not isinstance(self.top(), kind):
            raise ValueError(f"it puts items into a {type(self.top()).__name__}")
        return self.top()


_LISTS = frozenset((list, tuple, dict, OrderedDict))


def check_unfolded(value: Any, most: int) -> None:
    """Raise ValueError for data that holds itself, is nested beyond `DEEPEST`, or is too much.

    most: parts, those that stand in several places counted in each: a kilobyte of lists of the
    list before, twice, is 2^100 parts to whoever walks it.
    """
    parts: dict[int, int] = {}
    if type(value) not in _LISTS and not _holds_objects(value):
        return
    path = [_walk(value)]
    on_path = {id(value)}
    while path:
        here, inner, rest = path[-1]
        new = next((v for v in rest if id(v) not in parts), None)
        if new is None:
            total = _size(here) + sum(parts[id(v)] for v in inner)
            if total > most:
                raise ValueError("its parts stand in each other over and over")
            parts[id(here)] = total
            on_path.discard(id(here))
            path.pop()
            continue
        if id(new) in on_path:
            raise ValueError("it holds itself")
        if len(path) == DEEPEST:
            raise ValueError(TOO_DEEP)
        on_path.add(id(new))
        path.append(_walk(new))


def _size(container: Any) -> int:
    return container.size if isinstance(container, np.ndarray) else len(container)


def _walk(container: Any) -> tuple[Any, list[Any], Iterator[Any]]:
    """A container, what it nests, and what of that is to be looked at yet."""
    inner = _nests(container)
    return container, inner, iter(inner)


def _nests(container: Any) -> list[Any]:
    """What of a container's items may hold items itself."""
    items: Iterable[Any]
    if isinstance(container, np.ndarray):
        items = container.flat if container.dtype.hasobject else ()
    else:
        items = container.values() if isinstance(container, dict) else container
    return [v for v in items if (type(v) in _LISTS and v) or _holds_objects(v)]


def _holds_objects(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype.hasobject
