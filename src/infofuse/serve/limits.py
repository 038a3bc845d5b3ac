"""What the service takes at most, so that no request can take it down."""

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Bounds of one service; what lies beyond is refused with a status of its own.

    upload_bytes, json_bytes: size of a body (413). characters: of a text; steps: of a modality's
    features that are sent as numbers (422). clip_seconds: length of a clip that is read, the rest
    is cut off and a note says so. waiting: requests that are being received or wait (503).
    workers: clips decoded at once. header_seconds, body_seconds: time to send (408).
    answer_seconds: time from the last byte to the answer (504). memory: bytes that a decoder may
    take beyond what it starts with. connections: open at once (503).
    """

    upload_bytes: int = 64 * MEGABYTE
    json_bytes: int = 16 * MEGABYTE
    characters: int = 10_000
    steps: int = 20_000
    clip_seconds: float = 120.0
    waiting: int = 32
    workers: int = 1
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    answer_seconds: float = 120.0
    memory: int = 2048 * MEGABYTE
    connections: int = 256
