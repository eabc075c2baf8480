"""The Trainer of a head, and its arguments: the options that make it fast are on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import SequentialSampler
from transformers import (
    DataCollatorForSeq2Seq,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
)

from benchmarks.peer.handed import Handed

EVALUATED_AT_ONCE = 64

WHOLE = 0.999999
"""The whole training, as a share of its steps: Trainer takes 1 for one step, and would evaluate after each."""


class InOrder(Seq2SeqTrainer):  # type: ignore[misc]  # transformers hides its type
    """Evaluates in the order of the data set, which is sorted by length already."""

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        return SequentialSampler(eval_dataset)


class Prompted(InOrder):
    """A decoder that writes: prompts are padded on the left, and the answer is what follows them."""

    data_collator: Any

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """Prompts and answers, both padded on the left."""
        with self._left():
            return super().get_eval_dataloader(eval_dataset)

    def get_test_dataloader(self, test_dataset: Any) -> Any:
        """Likewise."""
        with self._left():
            return super().get_test_dataloader(test_dataset)

    @contextlib.contextmanager
    def _left(self) -> Iterator[None]:
        plain, tokenizer = self.data_collator, self.processing_class

        def left(examples: Any) -> Any:
            tokenizer.padding_side = "left"
            try:
                return plain(examples)
            finally:
                tokenizer.padding_side = "right"

        self.data_collator = left
        try:
            yield
        finally:
            self.data_collator = plain

    def prediction_step(
        self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None, **options: Any
    ) -> Any:
        """No loss, the tokens written, the tokens wanted."""
        inputs = self._prepare_inputs(inputs)
        prompts, cap = inputs["input_ids"], self.args.generation_max_length
        with torch.no_grad(), self.compute_loss_context_manager():
            written = model.generate(
                input_ids=prompts,
                attention_mask=inputs["attention_mask"],
                max_new_tokens=cap,
                do_sample=False,
                pad_token_id=self.processing_class.pad_token_id,
                eos_token_id=self.processing_class.eos_token_id,
            )
        return None, self._pad_tensors_to_max_len(written[:, prompts.shape[1] :], cap), inputs["labels"]


def arguments(handed: Handed, out: Path, *, epochs: int, seed: int, rate: float, keep_best: bool) -> Any:
    """Length grouping, fused AdamW, large evaluation batches; checkpoints only where the best one is wanted."""
    writes = handed.head == "generate"
    interval = min(1 / handed.evaluations, WHOLE)
    saved = {"load_best_model_at_end": True, "metric_for_best_model": handed.metric, "greater_is_better": True}
    return Seq2SeqTrainingArguments(
        output_dir=str(out),
        num_train_epochs=epochs,
        per_device_train_batch_size=handed.batch_size,
        per_device_eval_batch_size=EVALUATED_AT_ONCE,
        learning_rate=rate,
        weight_decay=0.01,
        warmup_steps=0.1,
        optim="adamw_torch_fused",
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps" if keep_best else "no",
        save_steps=interval,
        save_only_model=True,
        save_total_limit=1,
        train_sampling_strategy="group_by_length",
        bf16=handed.bfloat16,
        seed=seed,
        use_cpu=not torch.cuda.is_available(),
        predict_with_generate=writes,
        generation_max_length=handed.output_tokens if writes else None,
        generation_num_beams=1 if writes else None,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **(saved if keep_best else {}),
    )


def make(
    handed: Handed, tokenizer: Any, settings: Any, build: Callable[[], Any], train: Any, validation: Any, metrics: Any
) -> Seq2SeqTrainer:
    """The Trainer that the head and family need."""
    prompted = handed.head == "generate" and handed.family == "decoder"
    return (Prompted if prompted else InOrder)(
        args=settings,
        model_init=build,
        data_collator=_collator(handed, tokenizer),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=tokenizer,
        compute_metrics=metrics,
        preprocess_logits_for_metrics=None if handed.head == "generate" else _answers_only(handed.head),
    )


def _answers_only(head: str) -> Callable[[Any, Any], Any]:
    """What is gathered over an evaluation: the best label, or scores of starts and ends; no hidden states."""

    def answers(logits: Any, labels: Any) -> Any:
        if head == "span":
            return logits[:2]
        return (logits[0] if isinstance(logits, tuple) else logits).argmax(-1)

    return answers


def _collator(handed: Handed, tokenizer: Any) -> Any:
    if handed.head == "generate":
        return DataCollatorForSeq2Seq(tokenizer)
    return (DataCollatorForTokenClassification if handed.head == "tag" else DataCollatorWithPadding)(tokenizer)
