"""Rewards from what can be seen: a score that stands on the screen, and the end of a game.

What it is for: a host that shows a program without any notion of rewards reads them off (`Scorer`).
What it may not know: where pictures come from, tasks, clocks (a time is an argument).
"""

from .agreement import Agreement
from .digits import Digits, cut_glyphs
from .judge import Judge, Patience
from .lines import Heard, LineScorer, read_line_scorer
from .marks import Mark, Paint, Region, read_mark
from .rules import AverageScore, NegativeScore, Rule, Score
from .scorer import Picture, Scorer, Sight
from .screen import ScreenScorer
from .settings import read_judge, read_marks, read_scorer

__all__ = [
    "Scorer",
    "Sight",
    "Picture",
    "read_scorer",
    "Heard",
    "LineScorer",
    "read_line_scorer",
    "read_judge",
    "read_marks",
    "Judge",
    "Agreement",
    "ScreenScorer",
    "Patience",
    "Digits",
    "cut_glyphs",
    "Mark",
    "Region",
    "Paint",
    "read_mark",
    "Rule",
    "Score",
    "NegativeScore",
    "AverageScore",
]
