"""MBT: the multimodal bottleneck transformer (Nagrani et al., NeurIPS 2021), as a plain baseline.

    L = MAE(y, head(mean_m h_m))

h_m is the [CLS] state of m's own transformer, which from layer `fuse_from` on exchanges what it
knows with the others through a few bottleneck tokens alone.

The paper classifies video by image patches and spectrograms, and starts from ViT-Base. Here steps
are text states and frames, sizes are small, nothing is pretrained but text, and positions are
sinusoids instead of a learnt table, for clips have no length in common. The paper's linear head on
each [CLS], logits averaged, is the same map as the head on their mean.
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.fusion import BottleneckFusion
from infofuse.models import SequenceFusion
from infofuse.objectives import Objective, Supervised
from infofuse.papers.inputs import Inputs, sequence_encoders
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Float, Int, Space

PAPER = Paper(
    title="Attention Bottlenecks for Multimodal Fusion",
    authors=(
        "Arsha Nagrani",
        "Shan Yang",
        "Anurag Arnab",
        "Aren Jansen",
        "Cordelia Schmid",
        "Chen Sun",
    ),
    year=2021,
    venue="NeurIPS",
    arxiv="2107.00135",
    summary="a transformer for each modality; they meet in a few shared tokens",
    code="https://github.com/google-research/scenic/tree/main/scenic/projects/mbt",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(Inputs):
    """Sizes for data of thousands of clips; the paper's are 768, 12, 12, 8 and 4.

    fuse_from: layers without exchange. tokens: the bottleneck's. The rest is that of `Inputs`.
    """

    width: int = 64
    heads: int = 4
    layers: int = 4
    fuse_from: int = 2
    tokens: int = 4
    dropout: float = 0.1
    attention_dropout: float = 0.1


SPACE: Space = {
    "tokens": Int(2, 8),
    "dropout": Float(0.0, 0.4),
    "attention_dropout": Float(0.0, 0.4),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[SequenceFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = sequence_encoders(config, spec)
    fusion = BottleneckFusion(
        {name: encoder.width for name, encoder in encoders.items()},
        config.width,
        config.heads,
        config.layers,
        fuse_from=config.fuse_from,
        tokens=config.tokens,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
    )
    model = SequenceFusion(encoders, fusion, spec.task.head(fusion.width))
    return model, Supervised(spec.task)
