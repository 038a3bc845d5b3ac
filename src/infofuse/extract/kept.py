"""A clip's features in a file of their own, until all are in a store.

FOLDER/KEY.safetensors, where KEY is a hash of the recipe, the media file and the words that were
given: what is there need not be made again.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from infofuse.extract.clip import Extracted
from infofuse.extract.text import Word
from infofuse.types import Json, Sample

_TIMES = ".times"


def key_of(recipe: Json, content: str, text: str | None, transcript: bytes) -> str:
    """SHA-256 of all that decides a clip's features. content: the media file's own checksum."""
    parts = [json.dumps(recipe, sort_keys=True), content, json.dumps(text)]
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + transcript).hexdigest()


def keep(file: Path, made: Extracted) -> None:
    """Write what was made of a clip, whole or not at all, even if two processes do so at once."""
    arrays = {name: np.ascontiguousarray(v) for name, v in made.sample.features.items()}
    arrays |= {name + _TIMES: np.ascontiguousarray(times) for name, times in made.times.items()}
    facts = {
        "text": made.sample.text,
        "words": [[word.text, word.start, word.end] for word in made.words],
        "seconds": made.seconds,
        "notes": list(made.notes),
    }
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_bytes(save(arrays, {"clip": json.dumps(facts)}))
    os.replace(new, file)


def load(file: Path) -> Extracted | None:
    """What was kept; None if there is nothing, or something else."""
    if not file.exists():
        return None
    try:
        with safe_open(file, "np") as kept:
            facts = json.loads(kept.metadata()["clip"])
            arrays = {name: kept.get_tensor(name) for name in sorted(kept.keys())}
    except (SafetensorError, OSError, LookupError, TypeError, ValueError):
        return None
    features = {name: a for name, a in arrays.items() if not name.endswith(_TIMES)}
    return Extracted(
        Sample("", features, facts["text"]),
        {name: arrays[name + _TIMES] for name in features},
        tuple(Word(*word) for word in facts["words"]),
        facts["seconds"],
        tuple(facts["notes"]),
    )
