"""MFN: Memory Fusion Network (Zadeh et al., AAAI 2018).

    y = head(relu(W [h_T of each modality; u_T] + b))

h is one LSTM a modality. At each step an attention looks at the LSTMs' cells before and after it,
and a gated memory u takes up what changed (see `infofuse.fusion.memory`).

Sequences that are not aligned to words are brought to the text's steps (see
`infofuse.fusion.align`). Departure: frames are standardised by the training set.
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.encoders import SequenceEncoder
from infofuse.fusion import CrossView, DeltaAttention, GatedMemory, MemoryFusion
from infofuse.models import SequenceFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import Inputs, sequence_encoders
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Memory Fusion Network for Multi-view Sequential Learning",
    authors=(
        "Amir Zadeh",
        "Paul Pu Liang",
        "Navonil Mazumder",
        "Soujanya Poria",
        "Erik Cambria",
        "Louis-Philippe Morency",
    ),
    year=2018,
    venue="AAAI",
    arxiv="1802.00927",
    summary="one LSTM a modality, and a gated memory of what an attention sees change between them",
    code="https://github.com/pliang279/MFN",
)


@dataclass(frozen=True)
class MemoryInputs(Inputs):
    """The choices of papers with an LSTM a modality and a gated memory.

    text_hidden, audio_hidden, vision_hidden: of the LSTMs, vision's also of any further
    modality's. memory: width of u. proposal, retain, update: hidden units of the networks that
    write, keep and take up, with their dropout. fusion, dropout: of the layer before the head.
    """

    text_hidden: int = 128
    audio_hidden: int = 32
    vision_hidden: int = 128
    memory: int = 400
    proposal: int = 64
    proposal_dropout: float = 0.7
    retain: int = 64
    retain_dropout: float = 0.0
    update: int = 256
    update_dropout: float = 0.0
    fusion: int = 256
    dropout: float = 0.2

    def hidden(self, name: str) -> int:
        """Of the modality's LSTM."""
        known = {"text": self.text_hidden, "audio": self.audio_hidden}
        return known.get(name, self.vision_hidden)


@dataclass(frozen=True)
class Config(MemoryInputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    attention, attention_dropout: hidden units of the delta-memory attention, and their dropout.
    """

    attention: int = 128
    attention_dropout: float = 0.2


SPACE: Space = {
    "attention": Choice((64, 128, 256)),
    "attention_dropout": Float(0.0, 0.5),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[SequenceFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = sequence_encoders(config, spec)
    hidden = {name: config.hidden(name) for name in encoders}
    cross = DeltaAttention(hidden, config.attention, config.attention_dropout)
    return memory_model(config, spec, encoders, hidden, cross)


def memory_model(
    config: MemoryInputs,
    spec: DataSpec,
    encoders: dict[str, SequenceEncoder],
    hidden: dict[str, int],
    cross: CrossView,
) -> tuple[SequenceFusion, Objective]:
    """A memory fusion of these encoders with this view between the modalities."""
    memory = GatedMemory(
        cross.width,
        config.memory,
        proposal=(config.proposal, config.proposal_dropout),
        retain=(config.retain, config.retain_dropout),
        update=(config.update, config.update_dropout),
    )
    widths = {name: encoder.width for name, encoder in encoders.items()}
    fusion = MemoryFusion(widths, hidden, cross, memory, config.fusion, config.dropout)
    return SequenceFusion(encoders, fusion, spec.task.head(config.fusion)), Supervised(spec.task)
