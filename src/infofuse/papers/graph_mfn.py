"""Graph-MFN: MFN with a Dynamic Fusion Graph in the attention's place (Zadeh et al., ACL 2018).

    y = head(relu(W [h_T of each modality; u_T] + b))

What the memory u takes up at each step is seen by a graph with a vertex for each set of
modalities, on the LSTMs' states before and after it (see `infofuse.fusion.graph`). The rest is
MFN's.

A reconstruction: the graph follows the code that circulates, in CMU's SDK and in MMSA. One
departure from the latter: there, the networks of the vertices of two and three modalities are in
no list of parameters and stay as they were drawn; here, they are trained.
"""

from dataclasses import dataclass

from infofuse.data.spec import DataSpec
from infofuse.fusion import DynamicFusionGraph
from infofuse.models import SequenceFusion
from infofuse.objectives import Objective
from infofuse.papers.inputs import sequence_encoders
from infofuse.papers.mfn import MemoryInputs, memory_model
from infofuse.papers.paper import Paper
from infofuse.papers.spaces import Choice, Float, Space

PAPER = Paper(
    title="Multimodal Language Analysis in the Wild: CMU-MOSEI Dataset and Interpretable Dynamic "
    "Fusion Graph",
    authors=(
        "AmirAli Bagher Zadeh",
        "Paul Pu Liang",
        "Soujanya Poria",
        "Erik Cambria",
        "Louis-Philippe Morency",
    ),
    year=2018,
    venue="ACL",
    arxiv="",
    summary="MFN whose memory is fed by a graph: a vertex for each set of modalities, weighted "
    "edges between them",
    code="https://github.com/A2Zadeh/CMU-MultimodalSDK",
    reconstruction=True,
)


@dataclass(frozen=True)
class Config(MemoryInputs):
    """The choices; the defaults are those of MMSA's repository (1f7558b) for CMU-MOSI.

    node: width of the graph's vertices of several modalities. inner: of the layer inside their
    networks.
    """

    text_hidden: int = 64
    vision_hidden: int = 64
    memory: int = 128
    proposal: int = 128
    proposal_dropout: float = 0.0
    retain: int = 32
    retain_dropout: float = 0.7
    update: int = 64
    update_dropout: float = 0.7
    fusion: int = 32
    dropout: float = 0.7
    node: int = 32
    inner: int = 100


SPACE: Space = {
    "node": Choice((16, 32, 64)),
    "dropout": Float(0.0, 0.7),
    "retain_dropout": Float(0.0, 0.7),
}
"""What tuning searches."""


def build(config: Config, spec: DataSpec) -> tuple[SequenceFusion, Objective]:
    """The model and its objective for data of this kind."""
    encoders = sequence_encoders(config, spec)
    hidden = {name: config.hidden(name) for name in encoders}
    cross = DynamicFusionGraph(hidden, config.node, config.inner)
    return memory_model(config, spec, encoders, hidden, cross)
