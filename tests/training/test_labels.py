"""Labels of every kind go through training, selection, checkpoint, test and the table of clips."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infofuse.data import Corpus
from infofuse.errors import InfofuseError
from infofuse.training import evaluate, resolve, train
from infofuse.training.protocol import find_checkpoint

KINDS = {
    "classification": (("negative", "positive"), lambda y: y > 0),
    "multilabel": (("good", "strong"), lambda y: np.hstack([y > 0, np.abs(y) > 1])),
}


def labelled(corpus: Corpus, kind: str) -> Corpus:
    classes, of_score = KINDS[kind]
    splits = {
        name: replace(clips, labels=of_score(clips.labels).astype(np.float32))
        for name, clips in corpus.splits.items()
    }
    outputs = splits["train"].labels.shape[1]
    spec = replace(corpus.spec, outputs=outputs, label_range=None, metrics=kind, classes=classes)
    return Corpus(spec, splits)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_are_learnt_tested_and_written(
    kind: str, small_corpus: Corpus, tiny_bert: str, tmp_path: Path
) -> None:
    corpus = labelled(small_corpus, kind)
    recipe = resolve(
        {
            "paper": "mmim",
            "data": "given",
            "model": {"text_encoder": tiny_bert},
            "train": {"epochs": 6, "batch_size": 16, "lr": 5e-3},
        }
    )
    metrics = train(recipe, tmp_path, corpus=corpus)["seeds"]["1111"]
    assert set(metrics["test"]) == {"accuracy", "uar", "war", "f1_weighted"}
    trained = evaluate(find_checkpoint(tmp_path), corpus, "train")
    assert trained["scores"]["accuracy"] > 0.6
    text = (tmp_path / "seed-1111/test_predictions.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    columns = [key for key in rows[0] if key.startswith("prediction")]
    assert len(columns) == corpus.spec.outputs
    assert {row[key] for row in rows for key in columns} <= {"0", "1"}


def test_other_classes_are_refused(small_corpus: Corpus, tiny_bert: str, tmp_path: Path) -> None:
    corpus = labelled(small_corpus, "classification")
    tables = {"paper": "mmim", "data": "given", "model": {"text_encoder": tiny_bert}}
    train(resolve(tables | {"train": {"epochs": 1}}), tmp_path, corpus=corpus, test=False)
    other = replace(corpus, spec=replace(corpus.spec, classes=("sad", "glad")))
    with pytest.raises(InfofuseError, match=r"\['sad', 'glad'\].*\['negative', 'positive'\]"):
        evaluate(find_checkpoint(tmp_path), other, "valid")


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_split_without_labels_is_refused_before_the_first_epoch(
    split: str, small_corpus: Corpus, tmp_path: Path
) -> None:
    clips = small_corpus.splits[split]
    bare = replace(clips, labels=np.full_like(clips.labels, np.nan))
    corpus = Corpus(small_corpus.spec, {**small_corpus.splits, split: bare})
    recipe = resolve({"paper": "lf_dnn", "data": "given", "train": {"epochs": 1}})
    out = tmp_path / "run"
    with pytest.raises(InfofuseError, match=f"no clip of split '{split}' has a label"):
        train(recipe, out, corpus=corpus)
    assert not out.exists()
    if split == "test":
        assert "valid" in train(recipe, out, corpus=corpus, test=False)["seeds"]["1111"]
