"""What readers and `from_*` share: from files and tables, by way of named columns, to a corpus.

* files and what is in them: `csv_files`, `csd_files`, `clip_files` (one array per clip).
* columns: `columns` makes them plain; `steps`, `padding` and `modalities` make them ragged.
* a corpus: `arrays` reads arrays by split, `clip_table` a table with one row per clip, `segments`
  time spans of files, `dataframe` tables in memory, `clip_folder` a table and the files beside it.
  All end in `assemble`, which derives the spec.
"""
