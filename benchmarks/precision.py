"""Where does bfloat16 pay? One training step of a BERT-shaped model, float32 against bfloat16, on one thread.

    python benchmarks/precision.py

Prints a table of milliseconds and ratios by hidden size; `bench.learn.device.CPU_BFLOAT16_WIDTH` is read off it.
The two precisions alternate within each repetition, so that a noisy machine slows both.
"""

import statistics
import time

import torch
from transformers import BertConfig, BertModel

SHAPES = ((64, 2), (128, 3), (256, 4), (384, 6), (768, 2))
ROWS, TOKENS, REPEATS = 32, 32, 9


def step(model: BertModel, optimizer: torch.optim.Optimizer, ids: torch.Tensor, bfloat16: bool) -> float:
    """Seconds of one forward, backward and optimizer step."""
    started = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = model(input_ids=ids).last_hidden_state.float().pow(2).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("hidden layers  float32 ms  bfloat16 ms  float32/bfloat16")
    for hidden, layers in SHAPES:
        config = BertConfig(
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=max(2, hidden // 64),
            intermediate_size=4 * hidden,
            vocab_size=4096,
        )
        model = BertModel(config, add_pooling_layer=False).train()
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        ids = torch.randint(0, 4096, (ROWS, TOKENS))
        pairs = [(step(model, optimizer, ids, False), step(model, optimizer, ids, True)) for _ in range(REPEATS)][2:]
        slow, fast = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{hidden:6d} {layers:6d} {slow:11.1f} {fast:12.1f} {slow / fast:17.2f}")


if __name__ == "__main__":
    main()
