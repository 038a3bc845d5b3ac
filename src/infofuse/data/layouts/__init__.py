"""What readers and `from_*` share: from files and tables, by way of named columns, to a corpus.

* files and what is in them: `csv_files`, `csd_files`, `clip_files` (an array a clip).
* columns: `columns` makes them plain; `steps`, `padding` and `modalities` make them ragged.
* a corpus: `arrays` of arrays by split, `clip_table` of a row a clip, `segments` of times in files,
  `dataframe` of tables in memory, `clip_folder` of a table and the files beside it. All end in
  `assemble`, which derives the spec.
"""
