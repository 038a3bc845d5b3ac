"""What every encoder is: one modality of a batch in, one vector per clip, or one per step, out."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from infofuse.types import Clips, Padded, Ragged


class Reader(nn.Module, ABC):
    """Reads one modality: `column(clips)` is what it reads of a data set, ragged.

    That is token ids or features. `fit(clips)` lets it learn the statistics of its input, once,
    from the training clips. Its output has `width` numbers.
    """

    width: int
    pretrained: bool = False
    """Whether its weights come from elsewhere, and have a learning rate of their own."""

    @abstractmethod
    def column(self, clips: Clips) -> Ragged: ...

    @abstractmethod
    def blank(self) -> np.ndarray:
        """A step of a column that says nothing: what stands where one was lost."""

    def fit(self, clips: Clips) -> None:
        """Nothing, unless an encoder says otherwise."""


class Encoder(Reader):
    """Turns one modality into a vector of `width` a clip, whatever the padding."""

    @abstractmethod
    def forward(self, x: Padded) -> Float[Tensor, "batch width"]: ...


class SequenceEncoder(Reader):
    """Turns one modality into a vector of `width` a step, whatever the padding.

    The answer has the input's lengths, and may hold anything beyond them.
    """

    @abstractmethod
    def forward(self, x: Padded) -> Padded: ...
