"""Hostile and broken pickles: nothing of them runs, and the refusal names what they ask for."""

import pickle
import struct
import subprocess
import sys
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers import examples
from infofuse.data import load_pickle
from infofuse.data.unpickle import loading_once, looks_like_pickle, opcodes
from infofuse.errors import InfofuseError

MARKER = "marker"


def text(content: str) -> bytes:
    raw = content.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def raw(content: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(content)) + content


def call(module: str, name: str, *arguments: bytes) -> bytes:
    """The opcodes of `module.name(*arguments)`."""
    return f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def proto4(module: str, name: str, *arguments: bytes) -> bytes:
    """The same for a name within a class, as protocol 4 allows."""
    return text(module) + text(name) + b"\x93(" + b"".join(arguments) + b"tR"


def whole(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


TOUCH = text(f"open({MARKER!r}, 'w').close()")
SHELL = text(f"touch {MARKER}")
OS = call("importlib", "import_module", text("os"))

RUNS = {
    "os.system": call("os", "system", SHELL),
    "posix.system": call("posix", "system", SHELL),
    "subprocess.call": call("subprocess", "call", b"(" + text("touch") + text(MARKER) + b"l"),
    "builtins.eval": call("builtins", "eval", TOUCH),
    "builtins.exec": call("builtins", "exec", TOUCH),
    "builtins.getattr": call("builtins", "getattr", OS, text("system")) + b"(" + SHELL + b"tR",
    "os.open": call("os", "open", text(MARKER), b"K\x41"),
    "pathlib.Path.touch": proto4("pathlib", "Path.touch", call("pathlib", "Path", text(MARKER))),
    "pickle.loads": call("pickle", "loads", raw(whole(call("os", "system", SHELL)))),
}
"""Programs that leave a file behind where an unpickler runs them."""

REFUSED = {
    "__builtin__.eval": call("__builtin__", "eval", TOUCH),
    "numpy.load": call("numpy", "load", text("gadget.npy"), b"N\x88"),
    "numpy.save": call("numpy", "save", text(MARKER), b"K\x01"),
    "numpy.core.multiarray.fromfile": call("numpy.core.multiarray", "fromfile", text("secret")),
    "torch.storage._load_from_bytes": call("torch.storage", "_load_from_bytes", raw(b"...")),
    "torch._utils._rebuild_tensor_v2": call("torch._utils", "_rebuild_tensor_v2"),
    "copyreg._reconstructor": call("copyreg", "_reconstructor", b"cos\nPathLike\n"),
    "pandas.core.frame.DataFrame": call("pandas.core.frame", "DataFrame"),
    "collections.OrderedDict.fromkeys": proto4("collections", "OrderedDict.fromkeys"),
    "builtins.set.__init_subclass__": proto4("builtins", "set.__init_subclass__"),
    "builtins.dict": call("builtins", "dict"),
    "os.unlink": b"(" + text("file") + b"ios\nunlink\n",
    "an object of a class (OBJ)": b"(cbuiltins\nset\no",
    "an object of a class (NEWOBJ)": b"cbuiltins\nset\n)\x81",
    "an object of a class (NEWOBJ_EX)": b"cbuiltins\nset\n)}\x92",
    "the persistent object 'storage'": b"Pstorage\n",
    "a persistent object": text("storage") + b"Q",
    "number 7 of the extension registry": b"\x82\x07",
    "number 2023 of the extension registry": b"\x83\xe7\x07",
    "number 70000 of the extension registry": b"\x84\x70\x11\x01\x00",
    "a buffer outside the file": b"\x97",
    "setting the state of a dict": b"}}b",
}
"""What is more than data, whether or not it would leave a trace."""


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes a file into a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(content: bytes, name: str = "file.pkl") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("name", RUNS)
def test_programs_are_refused_by_name_and_do_not_run(name: str, put: Any) -> None:
    path = put(whole(b"}" + text("train") + RUNS[name] + b"s"))
    with pytest.raises(InfofuseError, match=f"asks for {name}, which is code.*nothing of it was"):
        load_pickle(path)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", RUNS)
def test_the_same_programs_do_run_in_an_unpickler(name: str, put: Any) -> None:
    path = put(whole(RUNS[name]))
    run = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-SE", "-c", run, path], cwd=path.parent, check=True)
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, MARKER}


@pytest.mark.parametrize("name", REFUSED)
def test_more_than_data_is_refused_by_name(name: str, put: Any) -> None:
    path = put(whole(REFUSED[name]))
    with pytest.raises(InfofuseError) as refusal:
        load_pickle(path)
    assert f"{path} asks for {name}, which is code" in str(refusal.value)
    assert list(path.parent.iterdir()) == [path]


def test_a_name_cannot_write_to_the_terminal(put: Any) -> None:
    with pytest.raises(InfofuseError) as refusal:
        load_pickle(put(whole(proto4("\x1b[2Jos", "system" * 1000))))
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500


def stacked(n: int) -> bytes:
    """A tuple of a tuple twice, of a tuple twice, and so on: 2**n to hash."""
    return b")" + b"2\x86" * n


def array_of(shape: bytes, content: bytes, code: str = "f4") -> bytes:
    dtype = call("numpy", "dtype", text(code), b"\x89", b"\x88")
    dtype += b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    begun = call(
        "numpy.core.multiarray", "_reconstruct", b"cnumpy\nndarray\n", b"K\x00\x85", raw(b"b")
    )
    return begun + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"


HUGE = b"\x8a\x06" + (2**40).to_bytes(6, "little")
LONG_LIST = b"](" + b"K\x01" * 3000 + b"e"

BROKEN = {
    "empty stack": b"",
    "no mark": b"K\x01t",
    "an unknown opcode": b"\xff",
    "protocol 9": b"\x80\x09N",
    "bytes beyond the end": b"\x8e" + struct.pack("<Q", 2**40) + b"x",
    "a string beyond the end": b"\x8d" + struct.pack("<Q", 2**62) + b"x",
    "not in the memo": b"j\xff\xff\xff\xff",
    "an array of a TB on four bytes": array_of(HUGE + b"\x85", raw(b"\0\0\0\0")),
    "an array of a TB of nothing": array_of(HUGE + b"\x85", raw(b""), "V0"),
    "an array of a TB of objects": array_of(HUGE + b"\x85", b"]", "O8"),
    "an array begun with a TB": call(
        "numpy.core.multiarray", "_reconstruct", b"cnumpy\nndarray\n", HUGE + b"\x85", raw(b"b")
    ),
    "an array of negative size": array_of(b"J\xff\xff\xff\xff\x85", raw(b"\0\0\0\0")),
    "pointers from bytes": array_of(b"K\x01\x85", raw(b"\x10" * 8), "O8"),
    "a pointer from bytes": call(
        "numpy.core.multiarray", "scalar", call("numpy", "dtype", text("O8")), raw(b"\x10" * 8)
    ),
    "characters that do not exist": array_of(b"K\x01\x85", raw(b"\xff" * 4), "U1"),
    "an array with fields": call("numpy", "dtype", text("f4,f4")),
    "an array with a subarray": call("numpy", "dtype", text("(1000000000,1000000000)f4")),
    "numpy.ndarray called": call("numpy", "ndarray", HUGE + b"\x85"),
    "bytes of a count": call("builtins", "bytes", HUGE),
    "a bytearray of a count": call("builtins", "bytearray", HUGE),
    "a set of a count": call("builtins", "set", HUGE),
    "bytes by a codec": call("_codecs", "encode", text("x"), text("zlib")),
    "a number of many digits": b"L" + b"9" * 100_000 + b"L\n",
    "a key that takes 2**60 steps to hash": b"}" + stacked(60) + b"K\x01s",
    "a member that takes 2**60 steps to hash": b"\x8f(" + stacked(60) + b"\x90",
    "a key that cannot be hashed": b"}]K\x01s",
    "a key without a value": b"}(K\x01u",
    "a list copied over and over": LONG_LIST + b"q\x00" + call("builtins", "list", b"h\x00") * 3000,
    "items put into a number": b"K\x01K\x02a",
    "a call of a number": b"K\x01)R",
    "a name that is no string": b"K\x01K\x02\x93",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_and_bombs_are_refused_in_little_memory(name: str, put: Any) -> None:
    path = put(whole(BROKEN[name]))
    tracemalloc.start()
    with pytest.raises(InfofuseError, match="cannot be read as a pickle of data, at byte"):
        load_pickle(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


OBJECTS = call("numpy", "dtype", text("O8"), b"\x89", b"\x88")
OBJECTS += b"(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
FLOATS = (
    OBJECTS.replace(text("O8"), text("f4")).replace(text("|"), text("<")).replace(b"K?", b"K\0")
)
COMPLEX = FLOATS.replace(text("f4"), text("c16"))
FROM_BUFFER = b"cnumpy.core.numeric\n_frombuffer\nq\x000"
SCALAR = b"cnumpy.core.multiarray\nscalar\nq\x000"
BIG = b"\x8b" + struct.pack("<I", 15_000) + b"\x01" * 14_999 + b"\x7f"
IN_ARRAY = b"q\x020h\x00(](h\x02eh\x01h\x04h\x03tR"


def collide(number: int) -> bytes:
    """A complex number of the hash that all of these have."""
    content = struct.pack("<dd", -1000003.0 * number, float(number))
    return b"h\x00(h\x01C\x10" + content + b"tR"


COSTLY = {
    "arrays of objects in arrays, 5,000 deep": FROM_BUFFER + OBJECTS + b"q\x010" + text("C")
    + b"q\x030K\x01\x85q\x040N" + IN_ARRAY * 5_000,
    "a huge number as a shape, 60 times": FROM_BUFFER + FLOATS + b"q\x010" + BIG + b"q\x020h\x00("
    + raw(b"") + b"h\x01(" + b"h\x02" * 60 + b"t" + text("C") + b"tR",
    "complex members of one hash": SCALAR + COMPLEX + b"q\x010\x8f("
    + b"".join(map(collide, range(17_000))) + b"\x90",
    "empty sets": b"(" + b"\x8f" * 990_000 + b"t",
    "a type called with 200,000 values": b"cnumpy\ndtype\nq\x000(" + text("f4") + b"K\x01" * 200_000
    + b"tq\x010(" + b"h\x00h\x01R" * 100_000 + b"t",
    "lists of the list before, twice": b"]" + b"q\x000](h\x00h\x00e" * 64,
    "lists in lists, 400,000 deep": b"]" * 490_000 + b"a" * 489_999,
    "a list in itself": b"]q\x00h\x00a",
    "a number of 600 bytes": b"\x8b\x58\x02\x00\x00" + b"\x01" * 600,
    "a number of 2,000 digits": b"I" + b"9" * 2000 + b"\n",
    "half of a surrogate pair as a key": b"}X\x03\x00\x00\x00\xed\xa0\x80Ns",
}  # fmt: skip
MEASURE = """
import resource, sys, time
from pathlib import Path
from infofuse.data import load_pickle
from infofuse.errors import InfofuseError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    found, said = load_pickle(Path(sys.argv[1])), ""
except InfofuseError as refusal:
    found, said = None, str(refusal)
del found
seconds = time.process_time() - began
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, seconds, said)
"""


def measured(path: Path) -> tuple[float, float, str]:
    """Megabytes and seconds that a process of its own takes for the file, and the refusal."""
    done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    megabytes, seconds, said = done.stdout.split(" ", 2)
    return float(megabytes), float(seconds), said.strip()


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_more_than_its_bytes_is_refused_at_once(name: str, put: Any) -> None:
    path = put(whole(COSTLY[name]))
    megabytes, seconds, said = measured(path)
    assert "cannot be read as a pickle of data" in said
    assert path.stat().st_size < 1_000_000
    assert (megabytes < 200, seconds < 1) == (True, True), (megabytes, seconds)


DENSE = {
    "lists": b"(" + b"]" * 990_000 + b"t",
    "dictionaries": b"(" + b"}\x94" * 490_000 + b"t",
    "a memo": b"N" + b"\x94" * 990_000,
    "sets of one": b"(" + b"\x8f(N\x90" * 60_000 + b"t",
    "text": b"(" + b"\x8c\x04\xf0\x9f\x98\x80" * 160_000 + b"t",
    "arrays": FROM_BUFFER + FLOATS + b"q\x010(" + raw(b"\0\0\0\0") + b"h\x01K\x01\x85" + text("C")
    + b"tq\x070(" + b"h\x00h\x07R" * 195_000 + b"t",
}  # fmt: skip


@pytest.mark.parametrize("name", DENSE)
def test_no_file_below_a_megabyte_takes_a_second_or_200_mb(name: str, put: Any) -> None:
    megabytes, seconds, _ = measured(put(whole(DENSE[name])))
    assert (megabytes < 200, seconds < 1) == (True, True), (megabytes, seconds)


def test_a_memo_of_any_place_takes_no_memory(put: Any) -> None:
    bomb = whole(b"K\x07" + b"r\xff\xff\xff\xff" + b"r\xfe\xff\xff\xff" + b"0j\xff\xff\xff\xff")
    tracemalloc.start()
    assert load_pickle(put(bomb)) == 7
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_the_number_of_parts_is_limited(put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opcodes, "MAX_OPERATIONS", 1000)
    assert load_pickle(put(whole(b"]" * 900))) == []
    with pytest.raises(InfofuseError, match="more than 1,000 parts"):
        load_pickle(put(whole(b"]" * 1000)))


def test_every_truncation_is_refused(put: Any) -> None:
    content = pickle.dumps({"a": np.arange(6.0).reshape(2, 3), "b": ["x", b"y", 1.5]}, protocol=4)
    for end in range(1, len(content)):
        with pytest.raises(InfofuseError):
            load_pickle(put(content[:end]))


WRAPPED = {
    "gzip": b"\x1f\x8b\x08\x00rest",
    "zip": b"PK\x03\x04rest",
    "bzip2": b"BZh9rest",
    "xz": b"\xfd7zXZ\x00rest",
    "Zstandard": b"\x28\xb5\x2f\xfdrest",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "NumPy array": b"\x93NUMPY\x01\x00",
    "Arrow": b"ARROW1\x00\x00",
}


@pytest.mark.parametrize("name", WRAPPED)
def test_other_kinds_of_file_are_named(name: str, put: Any) -> None:
    with pytest.raises(InfofuseError, match=f"is no pickle but .*{name}"):
        load_pickle(put(WRAPPED[name]))


def test_files_that_are_empty_missing_or_too_large_are_refused(put: Any, tmp_path: Path) -> None:
    with pytest.raises(InfofuseError, match="is empty"):
        load_pickle(put(b""))
    with pytest.raises(InfofuseError, match="no file"):
        load_pickle(tmp_path / "nothing.pkl")
    with pytest.raises(InfofuseError, match="has 104 bytes, and at most 100"):
        load_pickle(put(b"N" * 104), max_bytes=100)


def test_what_looks_like_a_pickle(put: Any, tmp_path: Path) -> None:
    assert looks_like_pickle(put(b"\x80\x04N.", "without_suffix"))
    assert looks_like_pickle(put(b"anything", "a.PKL"))
    assert not looks_like_pickle(put(b"id,label\n", "a.csv"))
    assert not looks_like_pickle(put(b"\x80", "short"))
    assert not looks_like_pickle(tmp_path)


def same(a: Any, b: Any) -> bool:
    """Equal in type, in values with NaN, and in order."""
    if isinstance(a, np.ndarray | np.generic):
        alike = a.dtype == b.dtype and a.shape == b.shape
        return alike and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(map(str, a)) == list(map(str, b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b or (a != a and b != b)


DTYPES = st.one_of(
    hnp.floating_dtypes(endianness="?"),
    hnp.integer_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=5),
    hnp.byte_string_dtypes(max_len=5),
    hnp.boolean_dtypes(),
)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(),
    st.binary(), st.sets(st.integers(-9, 9)), st.frozensets(st.text(max_size=2)), ARRAYS,
)  # fmt: skip
KEYS = st.text(max_size=5) | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=5)
DATA = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=10,
)
QUICK = examples(200)


@QUICK
@given(data=DATA, protocol=st.integers(0, 5))
def test_data_of_every_protocol_comes_back_as_it_was(data: Any, protocol: int, put: Any) -> None:
    assert same(load_pickle(put(pickle.dumps(data, protocol=protocol))), data)


def test_what_stands_twice_is_one_thing(put: Any) -> None:
    shared = np.arange(3.0)
    for protocol in range(6):
        data = load_pickle(put(pickle.dumps([shared, {"again": shared}], protocol=protocol)))
        assert data[0] is data[1]["again"]


def test_arrays_of_all_layouts_come_back(put: Any) -> None:
    cube = np.arange(24, dtype="f4").reshape(2, 3, 4)
    arrays = [cube, np.asfortranarray(cube), cube.transpose(1, 0, 2), cube[:, ::2], cube[:0]]
    arrays.append(np.array([["a", None], [1.5, [2]]], object))
    for protocol in range(6):
        assert same(load_pickle(put(pickle.dumps(arrays, protocol=protocol))), arrays)


def test_names_of_numpy_1_are_known(put: Any) -> None:
    content = pickle.dumps([np.ones((2, 2)), np.float32(3)], protocol=4)
    old = content.replace(b"\x8c\x16numpy._core", b"\x8c\x15numpy.core")
    assert old != content
    assert same(load_pickle(put(old.replace(content[2:11], b""))), [np.ones((2, 2)), np.float32(3)])


def test_strings_and_arrays_of_python_2_are_known(put: Any) -> None:
    values = np.arange(2000.0)
    array = array_of(b"M\xd0\x07\x85", b"T" + struct.pack("<i", 16000) + values.tobytes(), "f8")
    quoted = rb"S'caf\xe9 \'x\' \n'" + b"\n"
    found = load_pickle(put(whole(b"](" + array + quoted + b"U\x02\xe9!e")))
    assert same(found, [values, "café 'x' \n", "é!"])


def test_large_arrays_are_views_of_the_file(put: Any) -> None:
    values = np.random.default_rng(0).normal(size=(1000, 500))
    for protocol in (3, 4, 5):
        path = put(pickle.dumps({"x": values, "bytes": b"x" * 5000}, protocol=protocol))
        tracemalloc.start()
        data = load_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()
        assert not data["x"].flags.writeable
        assert same(data["x"], values)
        assert bytes(data["bytes"]) == b"x" * 5000


def test_within_a_block_a_file_is_loaded_once(put: Any) -> None:
    path = put(pickle.dumps({"x": [1]}))
    with loading_once():
        first = load_pickle(path)
        with loading_once():
            assert load_pickle(path) is first
        assert load_pickle(path) is first
    path.write_bytes(pickle.dumps({"x": [2]}))
    assert load_pickle(path) == {"x": [2]}
    with loading_once():
        path.write_bytes(b"")
        for _ in range(2):
            with pytest.raises(InfofuseError, match="is empty"):
                load_pickle(path)
            path.write_bytes(pickle.dumps({"x": [3]}))


SEEDS = [
    pickle.dumps(
        {"id": np.array(["a", "b"]), "x": np.ones((2, 3), "f4"), "o": np.array([1, "x"], object),
         "s": {1, 2}, "n": [1, 2.5, True, None, 2**70], "w": "é", "b": b"raw", "k": np.float64(2)},
        protocol=protocol,
    )
    for protocol in range(6)
]  # fmt: skip
SOUP = st.lists(
    st.sampled_from([bytes([code]) for code in b"012().NIJKMLSTUVXabcdeghjlpqrstu}]GRBC\x85\x86\x87"
                     b"\x88\x89\x8a\x8c\x8f\x90\x91\x93\x94\x95\x96"])
    | st.sampled_from([b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"c__builtin__\nset\n",
                       b"c_codecs\nencode\n", b"cnumpy.core.multiarray\n_reconstruct\n",
                       b"cnumpy.core.multiarray\nscalar\n", b"cnumpy.core.numeric\n_frombuffer\n",
                       b"ccollections\nOrderedDict\n", b"c__builtin__\nbytes\n"])
    | st.builds(text, st.sampled_from(["f4", "O8", "U9", "V0", "latin1", "C", "<", "abcd"]))
    | st.binary(min_size=1, max_size=3),
    max_size=40,
)  # fmt: skip


def load_or_refuse(path: Path) -> None:
    try:
        load_pickle(path)
    except InfofuseError:
        assert list(path.parent.iterdir()) == [path]


@QUICK
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_changed_bytes_end_in_data_or_a_refusal(
    seed: bytes, changes: list[tuple[int, int]], put: Any
) -> None:
    content = bytearray(seed)
    for place, byte in changes:
        content[place % len(content)] = byte
    load_or_refuse(put(bytes(content)))


@QUICK
@given(soup=SOUP)
def test_opcodes_in_any_order_end_in_data_or_a_refusal(soup: list[bytes], put: Any) -> None:
    load_or_refuse(put(whole(b"".join(soup))))
