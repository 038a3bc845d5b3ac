"""From media files to features: decoding, extractors, recipes, and folders of clips.

`extract_clip` reads one file by a `FeatureRecipe`; `extract_folder` reads many, in several
processes, and writes a store whose spec carries the recipe. An extractor is a frozen dataclass in
a module of its own, such as `audio_descriptors`; `infofuse.extract.features` says what it must be.
Nothing here is imported, and no media library loaded, before it is used.
"""
