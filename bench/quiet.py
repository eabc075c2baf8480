"""Keeps the chatter of libraries off the terminal: their warnings and progress bars would tear the display.

Sets what processes inherit, so that workers are quiet as well. What a user has set stays. Imports no library.
"""

from __future__ import annotations

import os
import warnings

ENVIRONMENT = {
    "PYTHONWARNINGS": "ignore",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "DATASETS_VERBOSITY": "error",
    "HF_HUB_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}


def hush() -> None:
    """From now on, this process and those it starts keep their warnings to themselves."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    warnings.simplefilter("ignore")
