"""Feature sequences as they are, on the training set's scale."""

import numpy as np

from infofuse.encoders.encoder import Reader, SequenceEncoder
from infofuse.encoders.standardize import Standardize
from infofuse.errors import InfofuseError
from infofuse.types import Clips, Padded, Ragged


class FeatureReader(Reader):
    """Reads a feature modality of the clips, and holds the scale of its features.

    modality: its name in the data. features: numbers a step.

    Raises InfofuseError for clips that have another number of features a step.
    """

    def __init__(self, modality: str, features: int):
        super().__init__()
        self.modality, self.features = modality, features
        self.standardize = Standardize(features)

    def column(self, clips: Clips) -> Ragged:
        column = clips.features.get(self.modality)
        if column is None:
            return Ragged.absent(len(clips), self.features)
        if column.width != self.features:
            raise InfofuseError(
                f"{self.modality} has {column.width} features a step here, and the model was built "
                f"for {self.features}: use data of the same feature set, or train on this one"
            )
        return column

    def blank(self) -> np.ndarray:
        return self.standardize.mean.cpu().numpy()

    def fit(self, clips: Clips) -> None:
        self.standardize.fit(self.column(clips))


class Frames(FeatureReader, SequenceEncoder):
    """The standardised frames of a feature modality, (batch, time, features); see `Standardize`."""

    def __init__(self, modality: str, features: int):
        super().__init__(modality, features)
        self.width = features

    def forward(self, x: Padded) -> Padded:
        return Padded(self.standardize(x.values), x.lengths)
