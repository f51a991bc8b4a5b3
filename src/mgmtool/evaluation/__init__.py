"""Masks against ground truth: how much of the moving object a scheme hides, in the crops a training loader makes.

Modules: ``sequences`` finds videos and their ground truth, ``crops`` draws clips, ``truth`` turns object masks into shares of
tokens, ``scores`` compares, ``contenders`` names what is compared, ``run`` puts a sequence through all of it, ``summary`` takes
means over sequences and seeds.
"""

from __future__ import annotations

from mgmtool.evaluation.contenders import Oracle, contenders, default_contenders
from mgmtool.evaluation.run import EvaluateSpec, Problem, SequenceResult, evaluate_sequences
from mgmtool.evaluation.sequences import Sequence, find_sequences
from mgmtool.evaluation.summary import ContenderScores, Summary, summarise, to_json
from mgmtool.extraction.contender import Contender

__all__ = [
    "Contender",
    "ContenderScores",
    "EvaluateSpec",
    "Oracle",
    "Problem",
    "Sequence",
    "SequenceResult",
    "Summary",
    "contenders",
    "default_contenders",
    "evaluate_sequences",
    "find_sequences",
    "summarise",
    "to_json",
]
