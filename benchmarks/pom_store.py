"""Write your own arrays as a store: POM's audio and video, 20 steps per clip, and its 17 traits.

    python benchmarks/pom_store.py pom.npz data/pom

pom.npz holds, for each of the splits train, valid and test, the arrays audio_SPLIT and video_SPLIT
(clips, steps, width), and y_SPLIT (clips, traits).
"""

import sys
from pathlib import Path

import numpy as np

from infofuse.data import from_arrays, write_store


def main(npz: str, store: str) -> None:
    with np.load(npz, allow_pickle=False) as file:
        splits = {
            split: {
                "labels": file[f"y_{split}"],
                "audio": file[f"audio_{split}"],
                "vision": file[f"video_{split}"],
            }
            for split in ("train", "valid", "test")
        }
    write_store(from_arrays(splits, "pom"), Path(store))


if __name__ == "__main__":
    main(*sys.argv[1:])
