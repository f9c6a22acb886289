"""The contract: what is checked before the first step, what you gave against what it meets.

Today's frameworks train on in silence through most of these: a label out of range has a loss of zero or NaN, a target
(8, 1) is broadcast against a prediction (8, 5), a softmax over one unit answers 1 to everything. Each rule is a
function that words its own error; all of them together cost less than one epoch, and copy no data.
"""

from thalweg.train.contract.classes import adapted, class_weights
from thalweg.train.contract.end import activation_name, hidden_activation
from thalweg.train.contract.facts import Facts, Rule
from thalweg.train.contract.overlap import Copies, LeakWarning, check_overlap, compare, prints_of, shared, warn
from thalweg.train.contract.passing import Passed, Passing, passing
from thalweg.train.contract.rules import RULES, check, check_inputs, check_piece

__all__ = [
    "RULES",
    "Copies",
    "Facts",
    "LeakWarning",
    "Passed",
    "Passing",
    "Rule",
    "activation_name",
    "adapted",
    "check",
    "check_inputs",
    "check_overlap",
    "check_piece",
    "class_weights",
    "compare",
    "hidden_activation",
    "passing",
    "prints_of",
    "shared",
    "warn",
]
