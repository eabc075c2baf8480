"""The page of speeds says what was measured, and no more than that."""

from __future__ import annotations

from typing import Any

from benchmarks.speed import tables

MACHINE = {
    "processor": "a processor", "cores": 2, "torch": "2.13.0",
    "peaks": {"1": {"float32": 100.0, "bfloat16": 200.0}, "2": {"float32": 190.0, "bfloat16": 390.0}},
}


def side(*scores: float, seconds: float) -> dict[str, Any]:
    return {"scores": list(scores), "peak_memory": 2**30, "seconds": seconds, "spent": {"forward": 3.0, "data": 1.0}}


def a_round(peer: float, ours: float) -> dict[str, Any]:
    return {
        "peer": {"wall": peer, "processor": 2 * peer}, "ours": {"wall": ours, "processor": ours},
        "peer_cells": {"ner/m/full": side(50.0, 52.0, 54.0, seconds=peer)},
        "our_cells": {"ner/m/full": side(51.0, 52.0, 53.5, seconds=ours)},
        "apart": {"ner/m/full": {"value": 0.2, "low": -1.8, "high": 2.2, "p": 0.8}},
    }


RESULTS = {"grid": {"machine": MACHINE, "load": (0.1, 1.9), "rounds": [a_round(60.0, 10.0), a_round(66.0, 12.0)]}}


def test_ratio_is_the_median_by_round_with_its_range() -> None:
    assert tables.ratios([60.0, 66.0, 80.0], [10.0, 12.0, 10.0]) == "6.0 (5.5 to 8.0)"


def test_page_has_totals_scores_beside_each_other_and_the_machine() -> None:
    page = tables.render(RESULTS)
    assert "| wall time, 1 cells | 63.0 s | 11.0 s | 5.8 (5.5 to 6.0) |" in page
    assert "| ner/m/full | 52.0 ±2.0 | 52.2 ±1.3 |" in page
    assert "14% is the work itself (`--profile`): forward 13.6%, data 4.5%; start-up," in page
    assert "the other 82%. Of the time within cells the work is 75%." in page
    assert "load 0.1 before and 1.9 after" in page
    assert "1 thread: 100 GFLOP/s in float32, 200 in bfloat16" in page


def test_page_counts_the_cells_whose_scores_agree_and_compares_their_memory() -> None:
    apart = a_round(60.0, 10.0)
    apart["peer_cells"]["qa/m/full"] = side(10.0, 11.0, 12.0, seconds=6.0)
    apart["our_cells"]["qa/m/full"] = {**side(20.0, 21.0, 22.0, seconds=1.0), "peak_memory": 2**29}
    apart["apart"]["qa/m/full"] = {"value": 10.0, "low": 8.0, "high": 12.0, "p": 0.001}
    page = tables.render({"grid": {**RESULTS["grid"], "rounds": [apart]}})
    assert "in 1 of 2 cells the 95% interval of the difference holds zero; ours is above in 1, the peer in 0;" in page
    assert "1 remain with Holm's correction for 2 comparisons. The median difference is +5.1 points." in page
    assert "| 11.0 ±1.0 | 21.0 ±1.0 | +10.0 [+8.0, +12.0] ours |" in page
    assert "| +0.2 [-1.8, +2.2] |" in page
    assert "ours to the peer's: 0.75 (0.50 to 1.00)." in page


def test_a_difference_that_chance_gives_in_many_cells_does_not_remain() -> None:
    many = a_round(60.0, 10.0)
    for number in range(20):
        cell = f"ner/m/{number}"
        many["peer_cells"][cell] = many["our_cells"][cell] = side(50.0, 51.0, seconds=1.0)
        many["apart"][cell] = {"value": -1.0, "low": -1.9, "high": -0.1, "p": 0.04}
    page = tables.render({"grid": {**RESULTS["grid"], "rounds": [many]}})
    assert "ours is above in 0, the peer in 20;\n0 remain with Holm's correction for 21 comparisons." in page


def test_page_sets_what_was_reached_beside_what_was_asked() -> None:
    page = tables.render({**RESULTS, "unpruned": RESULTS["grid"]})
    assert "| the sample, nothing pruned: times as fast as the peer | 5 | 5.8 (5.5 to 6.0) |  |  |" in page
    assert "| of the workers' time, the work itself | 85% | 14% |  |  |" in page
    assert "| peak memory of a cell, to the peer's | at most 1 | 1.00 (1.00 to 1.00) |  |  |" in page


def test_page_says_where_the_peer_had_bfloat16() -> None:
    short = {"ner/m/full": True, "ner/m/lora": True, "qa/m/full": False}
    page = tables.render({"grid": {**RESULTS["grid"], "bfloat16": short}})
    assert "The peer trains in bfloat16: ner/m; elsewhere float32 was faster for it." in page


def test_parts_that_were_not_measured_are_left_out() -> None:
    assert "without pruning" not in tables.render(RESULTS).partition("## ")[2]


def test_single_trainings_are_compared_with_the_faster_precision_of_the_peer() -> None:
    times = {"ours": [[2.0, 2.0]], "peer": [[8.0, 8.0]], "peer_bfloat16": [[5.0, 5.0]]}
    shape = {"shape": {"name": "64 x 2", "hidden": 64}, "rounds": times, "precision": "float32",
             "kernels": {"flop": 1e11, "products": 1.25, "all": 1.6}}
    page = tables.render({"single": {"machine": MACHINE, "load": (0.0, 0.0), "shapes": [shape]}})
    assert "| one training, 64 x 2: times as fast as the peer | 1.3 | 2.5 | 5.0 | 3.1 |" in page
    assert "| 64 x 2 | 8.0 s | 5.0 s | 2.0 s | float32 | 2.5 | 2.5 | 50% | 5.0 | 4.0 | 3.1 |" in page


def test_page_says_what_the_matrix_products_alone_would_take() -> None:
    work = {
        "ner/m/full": {"flop": 1.56e12, "products": 12.0, "all": 18.0, "precision": "bfloat16"},
        "qa/m/full": {"flop": 1.9e11, "products": 2.0, "all": 2.4, "precision": "float32"},
    }
    page = tables.render({"grid": {**RESULTS["grid"], "work": work}})
    assert "| a sample of its cells: times as fast as the peer | 20 | 5.8 (5.5 to 6.0) | 13.0 | 6.2 |" in page
    assert "counted, are 1.8 TFLOP." in page
    assert "| their matrix products, at the rate of the fastest product measured | 4.8 | 8% | 44% | 13.0 |" in page
    assert "| their matrix products, as torch makes them in these shapes | 7.0 | 11% | 64% | 9.0 |" in page
    assert "| all kernels of torch that they call | 10.2 | 16% | 93% | 6.2 |" in page


def test_limits_that_were_not_timed_are_left_out() -> None:
    work = {"ner/m/full": {"flop": 4e12, "products": None, "all": None, "precision": "bfloat16"}}
    page = tables.render({"grid": {**RESULTS["grid"], "work": work}})
    assert "| 5.8 (5.5 to 6.0) | 6.3 |  |" in page
    assert "all kernels of torch that they call" not in page


def test_products_of_the_whole_are_counted_by_themselves() -> None:
    work = {"ner/m/full": {"flop": 4e12, "products": None, "all": None, "precision": "bfloat16"}}
    page = tables.render({"whole": RESULTS["grid"], "counted": {"work": work}})
    assert "| the whole of glue-lite: times as fast as the peer | 20 | 5.8 (5.5 to 6.0) | 6.3 |  |" in page


def test_page_has_the_peer_with_a_cell_on_each_core_beside_it() -> None:
    rounds = [{**a_round(60.0, 10.0), "peer_at_once": {"wall": 40.0, "processor": 70.0}}] * 2
    page = tables.render({"grid": {**RESULTS["grid"], "rounds": rounds}})
    assert "2 rounds, the median with the range." in page
    assert "|  | peer | ours | ratio | peer, a cell on each core | ratio |" in page
    assert "| wall time, 1 cells | 60.0 s | 10.0 s | 6.0 (6.0 to 6.0) | 40.0 s | 4.0 (4.0 to 4.0) |" in page


def test_page_has_the_best_cell_of_each_task_on_either_side() -> None:
    found = a_round(60.0, 10.0)
    found["peer_cells"]["ner/m/lora"] = side(60.0, 62.0, 64.0, seconds=1.0)
    best = {"peer": "ner/m/lora", "ours": "ner/m/full", "apart": {"value": -9.8, "low": -11.0, "high": -8.0, "p": 0.0}}
    page = tables.render({"grid": {**RESULTS["grid"], "rounds": [{**found, "best": {"ner": best}}]}})
    assert "| ner | ner/m/lora 62.0 ±2.0 | ner/m/full 52.2 ±1.3 | -9.8 [-11.0, -8.0] peer |" in page
