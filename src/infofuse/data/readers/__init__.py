"""One module a format: `recognises(path)` says whether a path is in it, `read(path)` reads it.

* `csd`: a folder of computational sequences, as the CMU Multimodal SDK has them (HDF5).
* `mag`: the pickle of MAG-BERT, MISA and MMIM, a list of tuples for each split.
* `mmsa`: the pickle that the field exchanges, padded arrays by split.
* `mmsa_clip`: one clip, as MMSA's extractor pickles it.
* `mult`: the pickle of MulT and MultiBench, padded arrays by split, without words.
* `store`: our own, ragged and memory-mapped; see `infofuse.data.store`.
"""
