"""Tasks: losses against plain torch, unknown labels, scores, and what a checkpoint is chosen by."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from infofuse.data import DataSpec
from infofuse.tasks import Classification, MultiLabel, Regression, Task

NAN = float("nan")
COLOURS = ("anger", "joy", "neutral")


def test_classification_is_cross_entropy_over_known_labels() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.5, 1.0], [9.0, 9.0, 9.0]])
    labels = torch.tensor([[0.0], [2.0], [NAN]])
    found = Classification(COLOURS).loss(logits, labels)
    torch.testing.assert_close(found, F.cross_entropy(logits[:2], torch.tensor([0, 2])))


def test_multi_label_is_binary_cross_entropy_over_known_labels() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.3, 4.0]])
    labels = torch.tensor([[1.0, 0.0], [1.0, NAN]])
    found = MultiLabel(("joy", "fear")).loss(logits, labels)
    expected = F.binary_cross_entropy_with_logits(
        torch.tensor([2.0, -1.0, 0.3]), torch.tensor([1.0, 0.0, 1.0])
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "task", [Regression(2), Classification(COLOURS), MultiLabel(("joy", "fear"))]
)
def test_labels_that_are_all_unknown_give_no_loss_and_no_gradient(task: Task) -> None:
    prediction = torch.randn(4, task.width, requires_grad=True)
    loss = task.loss(prediction, torch.full((4, task.outputs), NAN))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(prediction.grad, torch.zeros_like(prediction))


def test_scores_of_classes_are_those_of_the_likeliest() -> None:
    logits = np.array([[3, 1, 0], [0, 1, 0], [0, 2, 1], [0, 0, 5]], np.float32)
    labels = np.array([[0], [1], [2], [NAN]], np.float32)
    task = Classification(COLOURS)
    assert task.answer(logits)[:, 0].tolist() == [0, 1, 1, 2]
    scores = task.score(logits, labels)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["uar"] == pytest.approx((1 + 1 + 0) / 3)
    assert scores["f1_weighted"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert task.regret(scores) == pytest.approx(1 - 5 / 9)


def test_scores_of_several_labels_are_means_over_them() -> None:
    logits = np.array([[1, -1], [1, -1], [-1, -1], [-1, 1]], np.float32)
    labels = np.array([[1, 0], [1, 0], [0, 0], [1, 1]], np.float32)
    task = MultiLabel(("joy", "fear"))
    assert task.score(logits, labels)["accuracy"] == pytest.approx((3 / 4 + 1) / 2)
    assert not math.isnan(task.regret(task.score(logits, labels)))


def test_the_spec_names_its_task_and_round_trips() -> None:
    one = DataSpec("meld", {"audio": 3}, metrics="classification", classes=COLOURS)
    many = DataSpec("emo", {"audio": 3}, outputs=3, metrics="multilabel", classes=COLOURS)
    assert one.task == Classification(COLOURS)
    assert many.task == MultiLabel(COLOURS)
    assert many.task.outputs == many.task.width == 3
    for spec in (one, many, DataSpec("mosi", {"audio": 3}, outputs=2, metrics="mosi")):
        assert DataSpec.from_json(spec.to_json()) == spec
    for wrong in ({"metrics": "classification"}, {"metrics": "multilabel", "classes": COLOURS}):
        with pytest.raises(ValueError, match="names of their classes"):
            DataSpec("x", {"audio": 3}, **wrong)  # type: ignore[arg-type]
