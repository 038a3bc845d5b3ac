"""One module per format: `recognises(path)` says how surely a path is in it, `read(path)` reads it.

All readers are asked, and the surest reads; none knows of the others, and their order says nothing.
So a new format costs one file here, by whose name it goes:

    def recognises(path: Path) -> Sureness: ...
    def read(path: Path) -> Corpus: ...

What two readers are equally sure of, such as a folder with the files of two formats, is refused.

* `audformat`: csv tables of segments (file, start, end), labels and features.
* `clip_csv`: a csv with a row per clip, and its features in .npy or .npz files.
* `csd`: a folder of computational sequences, as the CMU Multimodal SDK has them (HDF5).
* `fet`: the folder that MMSA-FET extracts features from, label.csv and media.
* `huggingface`: a folder written by `save_to_disk` of Hugging Face `datasets`.
* `mag`: the pickle of MAG-BERT, MISA and MMIM, a list of tuples for each split.
* `mertools`: the folder that MERTools trains on, labels by name and a folder of .npy a feature.
* `mmsa`: the pickle that the field exchanges, padded arrays by split.
* `mmsa_clip`: one clip, as MMSA's extractor pickles it.
* `mult`: the pickle of MulT and MultiBench, padded arrays by split, without words.
* `store`: our own, ragged and memory-mapped; see `infofuse.data.store`.
"""

from enum import IntEnum


class Sureness(IntEnum):
    """How sure a reader is that a path is in its format."""

    NO = 0
    """It is not."""

    POSSIBLE = 1
    """It has what the format needs, but what is in another may have that, too."""

    LIKELY = 2
    """It has what no other known format needs, but may have it beside another's."""

    CERTAIN = 3
    """It says so itself, or has a form that is not come by otherwise."""
