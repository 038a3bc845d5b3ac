"""One module a format: `recognises(path)` says whether a path is in it, `read(path)` reads it.

* `audformat`: csv tables of segments (file, start, end), labels and features.
* `clip_csv`: a csv with a row a clip, and its features in .npy or .npz files.
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
