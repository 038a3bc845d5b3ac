"""The opcodes by which a pickle builds data, followed one by one; all others are refused.

Opcodes and their arguments: the standard library's `pickletools`.
"""

import codecs
import mmap
import pickletools
import re
from collections.abc import Callable
from typing import Any

from infofuse.data.unpickle.constructors import members, pairs
from infofuse.data.unpickle.machine import Machine, Refused, check_unfolded

MAX_OPERATIONS = 20_000_000
"""Opcodes at most: an empty list is one byte in the file and sixty in memory."""

_QUOTED = re.compile(rb"""(['"])(.*)\1\n""", re.DOTALL)
_ESCAPED = re.compile(rb"""(?:[^\\]++|\\[\\'"nrt]|\\x[0-9a-f]{2})*+""")
_LONG = 512  # Bytes: no count, seed or name is longer, and some arithmetic takes their square.
_SHORT = 4096  # Bytes up to this are copied; longer ones stay a view of the file.


def build(file: mmap.mmap) -> Any:
    """What the file holds.

    Raises `Refused` for code, and ArithmeticError, LookupError, TypeError, ValueError or
    MemoryError for what is broken.
    """
    most = 4 * len(file) + (1 << 20)
    machine = Machine(credit=most, room=48 * len(file) + (1 << 24))
    for _ in range(MAX_OPERATIONS):
        code = file.read(1)
        if code == b".":
            check_unfolded(machine.top(), most)
            return machine.top()
        if code not in _STEPS:
            raise ValueError(f"{code!r} is no opcode" if code else "it ends too early")
        read, step = _STEPS[code]
        step(machine, read(file) if read else None)
    raise ValueError(f"it has more than {MAX_OPERATIONS:,} parts; save them as arrays")


def _read_bytes(width: int) -> Callable[[mmap.mmap], bytes | memoryview]:
    """A reader of bytes that follow their own count, of `width` bytes."""

    def read(file: mmap.mmap) -> bytes | memoryview:
        count = int.from_bytes(file.read(width), "little")
        begin = file.tell()
        if count > len(file) - begin:
            raise ValueError(f"{count} bytes announced, and {len(file) - begin} are left")
        if count <= _SHORT:
            return file.read(count)
        file.seek(count, 1)
        return memoryview(file)[begin : begin + count]

    return read


def _read_string(width: int) -> Callable[[mmap.mmap], str | memoryview]:
    """A reader of Python 2's strings: Latin-1, and a view where they are long, as arrays are."""
    read = _read_bytes(width)

    def decode(file: mmap.mmap) -> str | memoryview:
        raw = read(file)
        return raw.decode("latin1") if isinstance(raw, bytes) else raw

    return decode


def _read_quoted(file: mmap.mmap) -> str:
    """A Python 2 string of protocol 0, quoted and escaped, up to the end of the line."""
    quoted = _QUOTED.fullmatch(file.readline())
    if quoted is None or not _ESCAPED.fullmatch(quoted[2]):
        raise ValueError("a string that is not quoted as it should be")
    return codecs.escape_decode(quoted[2])[0].decode("latin1")


def _read_long(width: int) -> Callable[[mmap.mmap], int]:
    """A reader of whole numbers: of 512 bytes at most."""

    def read(file: mmap.mmap) -> int:
        count = int.from_bytes(file.read(width), "little")
        if count > _LONG:
            raise ValueError(f"a whole number of {count} bytes, and at most {_LONG} are read")
        return int.from_bytes(file.read(count), "little", signed=True)

    return read


def _read_decimal(reader: Callable[[Any], Any]) -> Callable[[mmap.mmap], int]:
    """The same for numbers that are written in digits."""

    def read(file: mmap.mmap) -> int:
        number = reader(file)
        if number.bit_length() > 8 * _LONG:
            raise ValueError(f"a whole number of {number.bit_length()} bits")
        return number

    return read


def _read_line(file: mmap.mmap) -> str:
    line = file.readline()
    if not line.endswith(b"\n"):
        raise ValueError("it ends within a line")
    return line[:-1].decode()


def _read_name(file: mmap.mmap) -> tuple[str, str]:
    """A module and a name in it."""
    return _read_line(file), _read_line(file)


def _refuse(what: str) -> Callable[[Machine, Any], None]:
    def step(_: Machine, argument: Any) -> None:
        raise Refused(what.format(argument))

    return step


def _check_protocol(_: Machine, number: int) -> None:
    if number > 5:
        raise ValueError(f"pickle protocol {number}; 0 to 5 are read")


def _refuse_instance(_: Machine, name: tuple[str, str]) -> None:
    raise Refused(".".join(name))


_READERS: dict[str, Callable[[mmap.mmap], Any]] = {
    "STRING": _read_quoted,
    "BINSTRING": _read_string(4),
    "SHORT_BINSTRING": _read_string(1),
    "BINBYTES": _read_bytes(4),
    "SHORT_BINBYTES": _read_bytes(1),
    "BINBYTES8": _read_bytes(8),
    "BYTEARRAY8": _read_bytes(8),
    "LONG1": _read_long(1),
    "LONG4": _read_long(4),
    "INT": _read_decimal(pickletools.read_decimalnl_short),
    "LONG": _read_decimal(pickletools.read_decimalnl_long),
    **dict.fromkeys(("GLOBAL", "INST"), _read_name),
    "PERSID": _read_line,
}
"""Where those of `pickletools` would copy, fail on Python 2, or look for escapes in names."""

_VALUES = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)

_ACTIONS: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys((*_VALUES, "NONE"), Machine.push),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_SET": lambda m, _: m.empty_set(),
    "TUPLE1": lambda m, _: m.push(tuple(m.last(1))),
    "TUPLE2": lambda m, _: m.push(tuple(m.last(2))),
    "TUPLE3": lambda m, _: m.push(tuple(m.last(3))),
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())),
    "LIST": lambda m, _: m.push(m.since_mark()),
    "DICT": lambda m, _: m.push(pairs(m.since_mark())),
    "FROZENSET": lambda m, _: m.push(frozenset(members(m.since_mark()))),
    "APPEND": lambda m, _: m.append(m.last(1)),
    "APPENDS": lambda m, _: m.append(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items(m.last(2)),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "ADDITEMS": lambda m, _: m.add(m.since_mark()),
    "MARK": lambda m, _: m.mark(),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.drop_mark(),
    "DUP": lambda m, _: m.push(m.top()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine.remember),
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.recall),
    "GLOBAL": lambda m, name: m.name(*name),
    "STACK_GLOBAL": lambda m, _: m.name(*m.last(2)),
    "REDUCE": lambda m, _: m.construct(),
    "BUILD": lambda m, _: m.finish(),
    "PROTO": _check_protocol,
    "FRAME": lambda m, _: None,
    "INST": _refuse_instance,
    "OBJ": _refuse("an object of a class (OBJ)"),
    "NEWOBJ": _refuse("an object of a class (NEWOBJ)"),
    "NEWOBJ_EX": _refuse("an object of a class (NEWOBJ_EX)"),
    "PERSID": _refuse("the persistent object {!r}"),
    "BINPERSID": _refuse("a persistent object"),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _refuse("number {} of the extension registry")),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER"), _refuse("a buffer outside the file")),
}

_STEPS: dict[bytes, tuple[Callable[[Any], Any] | None, Callable[[Machine, Any], None]]] = {
    op.code.encode("latin1"): (
        _READERS.get(op.name, op.arg.reader if op.arg else None),
        _ACTIONS[op.name],
    )
    for op in pickletools.opcodes
    if op.name != "STOP"
}
