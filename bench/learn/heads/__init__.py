"""The shapes of an answer: how each is encoded, learnt and read off a network. One module a head."""

from __future__ import annotations

from typing import Any

from bench.learn.heads.base import HeadLogic
from bench.learn.heads.classify import Classify
from bench.learn.heads.generate import Generate
from bench.learn.heads.regress import Regress
from bench.learn.heads.span import Span
from bench.learn.heads.tag import Tag
from bench.learner import Assignment
from bench.spec import Head

HEADS: dict[Head, type[HeadLogic]] = {
    Head.CLASSIFY: Classify,
    Head.REGRESS: Regress,
    Head.TAG: Tag,
    Head.SPAN: Span,
    Head.GENERATE: Generate,
}


def open_head(assignment: Assignment, tokenizer: Any) -> HeadLogic:
    """The head that the assignment's task asks for, or the one that writes, where the model answers everything so."""
    head = Head.GENERATE if assignment.model.writes else assignment.task.head
    return HEADS[head](assignment, tokenizer)
