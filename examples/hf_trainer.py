"""A dependence term in a Hugging Face `Trainer`, around a model that knows nothing of it.

    pip install "transformers[torch]"
    python examples/hf_trainer.py

The model is wrapped with the measure beside it, and the loss that the Trainer minimises is the
error minus a weight times the dependence of the hidden views. The Trainer trains, saves and moves
the critic as it does the rest. Runs in seconds.
"""

import tempfile

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging

from infofuse.measures import GaussianInformation, InfoNCE

WIDTH, WORDS = 32, 40


class WithAudio(nn.Module):
    """A text classifier as it came, an audio encoder, and the information between the two."""

    def __init__(self, weight: float):
        super().__init__()
        config = BertConfig(
            vocab_size=WORDS, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=64, num_labels=1, problem_type="regression",
        )  # fmt: skip
        self.text = BertForSequenceClassification(config)
        self.audio = nn.Linear(12, WIDTH)
        self.nce, self.weight = InfoNCE(WIDTH, WIDTH), weight

    def views(self, input_ids: torch.Tensor, audio: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.text.bert(input_ids).pooler_output, self.audio(audio).tanh()

    def forward(
        self, input_ids: torch.Tensor, audio: torch.Tensor, labels: torch.Tensor
    ) -> SequenceClassifierOutput:
        text, sound = self.views(input_ids, audio)
        score = self.text.classifier(text + sound)
        loss = (score.squeeze(1) - labels).abs().mean() - self.weight * self.nce(text, sound)
        return SequenceClassifierOutput(loss=loss, logits=score)


class Clips(Dataset):
    """Words that say a number, audio that says it too, and the number to be predicted."""

    def __init__(self, count: int):
        label = torch.randn(count)
        heard = label[:, None].expand(count, 12)
        levels = ((label + 3) / 6 * WORDS).clamp(0, WORDS - 1).long()
        self.columns = {
            "input_ids": torch.stack([levels, torch.randint(WORDS, (count,))], 1),
            "audio": heard + torch.randn(count, 12),
            "labels": label,
        }

    def __len__(self) -> int:
        return len(self.columns["labels"])

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        return {name: column[i] for name, column in self.columns.items()}


def train(weight: float) -> tuple[float, float]:
    """Mean error and mutual information (nats) on fresh clips after training."""
    torch.manual_seed(0)
    model, fresh = WithAudio(weight), Clips(512)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=3, per_device_train_batch_size=64, learning_rate=3e-3,
            save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="no",
            use_cpu=True, seed=0,
        )  # fmt: skip
        Trainer(model, arguments, train_dataset=Clips(2048)).train()
    with torch.no_grad():
        text, sound = model.eval().views(fresh.columns["input_ids"], fresh.columns["audio"])
        score = model.text.classifier(text + sound).squeeze(1)
        error = (score - fresh.columns["labels"]).abs().mean()
        return error.item(), GaussianInformation()(text, sound).item()


if __name__ == "__main__":
    logging.set_verbosity_error()
    for weight in (0.0, 0.1):
        error, nats = train(weight)
        print(f"weight {weight}: error {error:.3f}, I(text; audio) {nats:.2f} nats")
