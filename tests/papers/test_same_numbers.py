"""Every paper trains to the numbers it trained to before: what a change of shape must not move.

`numbers.json` holds, for a small run of each paper, the loss and the validation MAE of each epoch,
the test MAE, and the digest of the weights. Numbers are compared everywhere, and bits where torch
and the processor are those they were written on. A change that is meant to move them writes the
file anew: INFOFUSE_WRITE_NUMBERS=1 python -m pytest tests/papers/test_same_numbers.py
"""

import hashlib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny

from infofuse import papers
from infofuse.data import Corpus
from infofuse.training.recipe import recipe
from infofuse.training.run import train

FILE = Path(__file__).with_name("numbers.json")
WRITING = bool(os.environ.get("INFOFUSE_WRITE_NUMBERS"))
TERMS = {"mmim+dma": ("mmim", "dma", {"text_audio": 1.0}), "lmf+mdm": ("lmf", "mdm", {})}
"""Terms of a paper on another's backbone."""


def processor() -> str:
    """torch and what of the processor decides which kernels it takes."""
    info = Path("/proc/cpuinfo")
    said = info.read_text() if info.is_file() else ""
    wanted = r"^(vendor_id|cpu family|model|flags)\s*:.*$"
    kinds = "\n".join(sorted({match.group(0) for match in re.finditer(wanted, said, re.M)}))
    return f"{torch.__version__} {hashlib.sha256(kinds.encode()).hexdigest()[:12]}"


def run(name: str, corpus: Corpus, text: str, out: Path) -> dict[str, Any]:
    paper, term, choices = TERMS.get(name, (name, "", {}))
    chosen = recipe(
        paper,
        model=asdict(tiny(paper, text)),
        train={"epochs": 2, "batch_size": 16, "modality_dropout": 0.2},
        plus={term: choices} if term else {},
        seeds=(5,),
    )
    test = train(chosen, out, corpus=corpus)["seeds"]["5"]["test"]
    history = json.loads((out / "seed-5" / "history.json").read_text())
    weights = load_file(out / "seed-5" / "checkpoint" / "model.safetensors")
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode() + weights[key].contiguous().numpy().tobytes())
    return {
        "loss": [epoch["loss"] for epoch in history],
        "valid_mae": [epoch["valid_mae"] for epoch in history],
        "test_mae": test["mae"],
        "weights": digest.hexdigest(),
    }


@pytest.mark.parametrize("name", [*papers.names(), *TERMS])
def test_numbers_are_what_they_were(
    name: str, corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    found = run(name, corpus, tiny_bert, tmp_path / "run")
    known = json.loads(FILE.read_text()) if FILE.is_file() else {}
    if WRITING:
        known |= {"processor": processor(), name: found}
        FILE.write_text(json.dumps(known, indent=1) + "\n")
        return
    expected = known[name]
    if known["processor"] == processor():
        assert found == expected
    for key in ("loss", "valid_mae", "test_mae"):
        torch.testing.assert_close(
            torch.tensor(found[key]), torch.tensor(expected[key]), rtol=1e-3, atol=1e-4
        )
