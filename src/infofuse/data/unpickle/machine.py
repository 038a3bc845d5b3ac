"""The stack and the memo by which a pickle builds what it holds."""

from collections.abc import Sized
from typing import Any

from infofuse.data.unpickle.constructors import CONSTRUCTORS, Hollow, members, pairs


class Refused(Exception):
    """The file asks for this, which is more than data."""

    def __init__(self, what: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in what[:120])
        super().__init__(shown)


class Machine:
    """The stack, the memo, and what the opcodes do with them.

    credit: how many items and bytes may be copied in all.
    """

    def __init__(self, credit: int) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.credit = credit

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
        self.push(build(*arguments))

    def finish(self) -> None:
        hollow, state = self.last(2)
        if not isinstance(hollow, Hollow):
            raise Refused(f"setting the state of a {type(hollow).__name__}")
        self.pay(state)
        self.push(hollow.finish(state))
        if hollow.place is not None:
            self.memo[hollow.place] = self.top()

    def pay(self, arguments: tuple) -> None:
        """Charge for what may be copied, so that no part of a file is copied over and over."""
        self.credit -= sum(len(a) for a in arguments if isinstance(a, Sized))
        if self.credit < 0:
            raise ValueError("it copies its own parts over and over")

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
