"""What an estimate rests on."""

from jjjpolicy.sensitivity.bacon import bacon_decomposition
from jjjpolicy.sensitivity.calibration import Calibration, calibrate
from jjjpolicy.sensitivity.donor_pools import donor_pools, sparsity_path
from jjjpolicy.sensitivity.effect_range import EffectRange, effect_range
from jjjpolicy.sensitivity.factor_model_test import FactorModelTest, factor_model_test
from jjjpolicy.sensitivity.honest import (
    RelativeMagnitudes,
    Smoothness,
    SmoothnessRelative,
    honest_did,
)
from jjjpolicy.sensitivity.leave_one_out import leave_one_out
from jjjpolicy.sensitivity.minimum_detectable_effect import (
    MinimumDetectableEffect,
    minimum_detectable_effect,
)
from jjjpolicy.sensitivity.placebo_outcomes import placebo_outcomes
from jjjpolicy.sensitivity.pre_fit import balance, pre_fit
from jjjpolicy.sensitivity.pretrend_power import PretrendPower, pretrend_power
from jjjpolicy.sensitivity.pretrend_rms import PretrendRms, pretrend_rms
from jjjpolicy.sensitivity.pretrends import (
    PretrendEquivalence,
    PretrendTest,
    pretrend_equivalence,
    pretrend_test,
)
from jjjpolicy.sensitivity.specification_curve import specification_curve, summarize_curve
from jjjpolicy.sensitivity.twoway_weights import TwoWayWeights, twoway_weights

__all__ = [
    "Calibration",
    "EffectRange",
    "FactorModelTest",
    "MinimumDetectableEffect",
    "PretrendEquivalence",
    "PretrendPower",
    "PretrendRms",
    "PretrendTest",
    "RelativeMagnitudes",
    "Smoothness",
    "SmoothnessRelative",
    "TwoWayWeights",
    "bacon_decomposition",
    "balance",
    "calibrate",
    "donor_pools",
    "effect_range",
    "factor_model_test",
    "honest_did",
    "leave_one_out",
    "minimum_detectable_effect",
    "placebo_outcomes",
    "pre_fit",
    "pretrend_equivalence",
    "pretrend_power",
    "pretrend_rms",
    "pretrend_test",
    "sparsity_path",
    "specification_curve",
    "summarize_curve",
    "twoway_weights",
]
