"""One module a format: `recognises(path)` says whether a path is in it, `read(path)` reads it.

* `mmsa`: the pickle that the field exchanges, padded arrays by split.
* `store`: our own, ragged and memory-mapped; see `infofuse.data.store`.
"""
