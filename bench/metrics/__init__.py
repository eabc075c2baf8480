"""One module a metric. `bench.score` gathers them; nothing here knows of models, cells or files."""
