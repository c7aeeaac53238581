"""What an estimate rests on."""

from jjjpolicy.sensitivity.bacon import bacon_decomposition
from jjjpolicy.sensitivity.leave_one_out import leave_one_out
from jjjpolicy.sensitivity.pretrend_power import PretrendPower, pretrend_power
from jjjpolicy.sensitivity.pretrends import (
    PretrendEquivalence,
    PretrendTest,
    pretrend_equivalence,
    pretrend_test,
)
from jjjpolicy.sensitivity.twoway_weights import TwoWayWeights, twoway_weights

__all__ = [
    "PretrendEquivalence",
    "PretrendPower",
    "PretrendTest",
    "TwoWayWeights",
    "bacon_decomposition",
    "leave_one_out",
    "pretrend_equivalence",
    "pretrend_power",
    "pretrend_test",
    "twoway_weights",
]
