#!/usr/bin/env python3
"""A corpus of CMU-MOSI's size and lengths in the layout that MMSA reads: random numbers.

    python benchmarks/speed/corpus.py FOLDER    writes unaligned_50.pkl and aligned_50.pkl

1,284 / 229 / 686 clips; durations are lognormal around 3.5 s, with 2.7 words, 12.5 audio and 15
vision steps a second: at most 50, 375 and 500 steps, to which that layout pads every clip. Text is
words, their token ids, and 768 numbers a token; audio has 5 numbers a step and vision 20.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

CLIPS = {"train": 1284, "valid": 229, "test": 686}
MOST = {"text": 50, "audio": 375, "vision": 500}
RATES = {"text": 2.7, "audio": 12.5, "vision": 15.0}
WIDTHS = {"text": 768, "audio": 5, "vision": 20}
WORDS = ("the", "movie", "was", "and", "really", "funny", "but", "awful", "actor", "enjoyed")


def split(rng: np.random.Generator, n: int, aligned: bool, tokenizer: Any) -> dict[str, Any]:
    seconds = rng.lognormal(np.log(3.5), 0.6, n).clip(0.7, 40)
    words = (RATES["text"] * seconds).round().astype(int).clip(1, MOST["text"] - 2)
    texts = [" ".join(rng.choice(WORDS, k)) for k in words]
    lengths = {
        name: words + 2
        if aligned or name == "text"
        else (rate * seconds).round().astype(int).clip(2, MOST[name])
        for name, rate in RATES.items()
    }
    steps = {name: MOST["text"] if aligned else most for name, most in MOST.items()}
    columns = {
        name: padded(rng, lengths[name], steps[name], width) for name, width in WIDTHS.items()
    }
    tokens = tokenizer(texts, padding="max_length", max_length=MOST["text"], return_tensors="np")
    bert = [tokens["input_ids"], tokens["attention_mask"], np.zeros_like(tokens["input_ids"])]
    labels = rng.uniform(-3, 3, n).round(1).astype(np.float32)
    return {
        **columns,
        "raw_text": np.array(texts),
        "id": np.array([f"video{i // 12}$_${i}" for i in range(n)]),
        "text_bert": np.stack(bert, 1).astype(np.float32),
        "audio_lengths": lengths["audio"].tolist(),
        "vision_lengths": lengths["vision"].tolist(),
        "annotations": np.array(["Positive" if y > 0 else "Negative" for y in labels]),
        "classification_labels": (np.sign(labels) + 1).astype(np.float32),
        "regression_labels": labels,
    }


def padded(rng: np.random.Generator, lengths: np.ndarray, most: int, width: int) -> np.ndarray:
    values = rng.standard_normal((len(lengths), most, width), dtype=np.float32)
    values[np.arange(most)[None, :] >= lengths[:, None]] = 0
    return values


def write(folder: Path) -> None:
    from transformers import AutoTokenizer

    from infofuse.encoders.pretrained import minilm_folder

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("unaligned", "aligned"):
        rng = np.random.default_rng(0)
        splits = {s: split(rng, n, name == "aligned", tokenizer) for s, n in CLIPS.items()}
        for s, columns in splits.items():
            columns["id"] = np.array([f"{s}_{one}" for one in columns["id"]])
        with open(folder / f"{name}_50.pkl", "wb") as file:
            pickle.dump(splits, file, protocol=4)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
