"""Clips that are none, or attacks on a decoder, sent to a service that reads real clips."""

import select
import socket
from collections.abc import Iterator

import pytest
from services import Running


@pytest.fixture
def bait() -> Iterator[socket.socket]:
    """A server that nothing should connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def playlist(address: str) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10", "#EXTINF:10,", address, "#EXT-X-ENDLIST"]
    return "\n".join(lines).encode()


def hostile(port: int) -> dict[str, bytes]:
    """What is sent, by what it tries."""
    box = (2**31).to_bytes(4, "big") + b"moov"
    picture = b"YUV4MPEG2 W60000 H60000 F1:1 Ip A1:1 C420\nFRAME\n"
    return {
        "a playlist of another server": playlist(f"http://127.0.0.1:{port}/a.ts"),
        "a playlist of a file here": playlist("file:///etc/passwd"),
        "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "a session description": f"v=0\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n".encode(),
        "a box of 2 GiB": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + box + b"\0" * 1000,
        "a picture of 60,000 by 60,000": picture,
        "boxes in boxes": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08moov" * 5000,
        "nothing": b"",
    }


@pytest.mark.parametrize("name", hostile(0))
def test_an_attack_gets_a_sentence(reader: Running, bait: socket.socket, name: str) -> None:
    answer = reader.send(hostile(bait.getsockname()[1])[name])
    assert answer.status_code == 422, answer.text
    said = answer.json()["error"]
    assert said.startswith("the clip ")
    assert "/proc" not in said
    assert "root:" not in said
    assert not select.select([bait], [], [], 0)[0]
    assert reader.ask(text="a film").status_code == 200
