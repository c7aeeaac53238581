"""What an estimate rests on."""

from jjjpolicy.sensitivity.bacon import bacon_decomposition
from jjjpolicy.sensitivity.leave_one_out import leave_one_out
from jjjpolicy.sensitivity.twoway_weights import TwoWayWeights, twoway_weights

__all__ = ["TwoWayWeights", "bacon_decomposition", "leave_one_out", "twoway_weights"]
