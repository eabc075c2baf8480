"""How a grid of tasks, models and fine-tuning methods is run."""

VERSION = "0.1.0"
