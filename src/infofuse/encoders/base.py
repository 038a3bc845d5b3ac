"""What every encoder is: one modality of a batch in, one vector a clip out."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from infofuse.types import Clips, Padded, Ragged


class Encoder(nn.Module, ABC):
    """Turns one modality into a vector of `width` a clip, whatever the padding.

    `column(clips)` is what it reads of a data set, ragged: token ids or features. `fit(clips)`
    lets it learn the statistics of its input, once, from the training clips.
    """

    width: int
    pretrained: bool = False
    """Whether its weights come from elsewhere, and have a learning rate of their own."""

    @abstractmethod
    def column(self, clips: Clips) -> Ragged: ...

    def fit(self, clips: Clips) -> None:
        """Nothing, unless an encoder says otherwise."""

    @abstractmethod
    def forward(self, x: Padded) -> Float[Tensor, "batch width"]: ...
