"""An epoch must not become much slower: its time over that of a plain text encoder is watched."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from infofuse import recipe, synthesize
from infofuse.data.loader import Loader
from infofuse.encoders import TextEncoder
from infofuse.files import read_json
from infofuse.models import columns
from infofuse.training.loop import Trainer, TrainingData, Workplace
from infofuse.training.prepare import prepare

BASELINE = Path(__file__).with_name("speed_baseline.json")
WORSE, CLIPS, BATCH, ROUNDS = 1.5, 96, 32, 3


def spent(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.slow
def test_an_epoch_of_mmim_keeps_its_ratio_to_a_plain_encoder(tmp_path: Path) -> None:
    """Both in turn in one process; the baseline is such a ratio too, so machines cancel out."""
    corpus = synthesize("demo", 0, [f"train={CLIPS}", "valid=8", "test=8"])
    train, valid = corpus.split("train"), corpus.split("valid")
    chosen = recipe("mmim", train={"batch_size": BATCH, "epochs": 1, "patience": 1})
    model, objective = prepare(chosen, corpus.spec, train, 0)
    loaders = [Loader(columns(model, c), c.labels, BATCH) for c in (train, valid)]

    def epoch() -> None:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        data = TrainingData(*loaders, corpus.spec)
        Trainer(model, objective, data, chosen, Workplace(folder)).fit()

    text = TextEncoder()
    plain, tokens = text.encoder.train(), Loader({"t": text.column(train)}, train.labels, BATCH)
    adam = torch.optim.Adam(plain.parameters(), fused=True)

    def encoder_alone() -> None:
        for batch in tokens.epoch(1):
            x = batch.inputs["t"]
            states = plain(input_ids=x.values, attention_mask=x.mask.long()).last_hidden_state
            states[:, 0].square().mean().backward()
            adam.step()
            adam.zero_grad()

    times = [(spent(epoch), spent(encoder_alone)) for _ in range(ROUNDS)]
    ratio = min(ours for ours, _ in times) / min(alone for _, alone in times)
    assert ratio < WORSE * read_json(BASELINE)["mmim"], f"{ratio:.2f} times a plain encoder"
