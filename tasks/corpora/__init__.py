"""The bundled corpora: seeded generators of small synthetic worlds, standard library only.

Each module offers two functions:

- `corpus(seed)` returns the labelled rows of the task by split (`train`, `validation`, `test`);
- `texts(seed)` is an endless stream of unlabelled documents of the same world, on which the bundled mini models
  are pretrained. It knows every word of the world, those that the labelled training split never shows included,
  and never repeats a labelled row.
"""
