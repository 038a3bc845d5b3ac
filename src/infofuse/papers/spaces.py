"""What a choice may be when a paper is tuned: a range of numbers, or one of some values.

A paper's module may hold `SPACE`, such ranges by the name of a field of its Config (of its Plus,
where its term is added to another paper's objective).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infofuse.errors import InfofuseError


@dataclass(frozen=True)
class _Interval:
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if self.low >= self.high or (self.log and self.low <= 0):
            above = " above 0" if self.log else ""
            raise InfofuseError(
                f"a range goes from a number{above} to a greater one; found {self.low} to "
                f"{self.high}"
            )


class Float(_Interval):
    """A number from `low` to `high`, evenly over them or over their logarithms."""


@dataclass(frozen=True)
class Int(_Interval):
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[bool | int | float | str, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2:
            raise InfofuseError(f"a choice is among two values at least; found {self.values}")


Range = Float | Int | Choice
Space = Mapping[str, Range]
