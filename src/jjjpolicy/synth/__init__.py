"""Synthetic-control estimators, one per module."""

from jjjpolicy.estimation.structure import CommonEffect, DistanceDecay, FreeEffects, Links, Rings
from jjjpolicy.linalg.frank_wolfe import FrankWolfe
from jjjpolicy.synth.augmented import AugmentedSyntheticControl
from jjjpolicy.synth.demeaned import DemeanedSyntheticControl
from jjjpolicy.synth.elastic_net import ElasticNetSyntheticControl
from jjjpolicy.synth.generalized import GeneralizedSyntheticControl
from jjjpolicy.synth.held_weights import HeldWeights
from jjjpolicy.synth.inclusive import InclusiveSyntheticControl
from jjjpolicy.synth.matrix_completion import MatrixCompletion
from jjjpolicy.synth.multiple_outcomes import MultipleOutcomeSyntheticControl
from jjjpolicy.synth.panel_data_approach import BestSubset, Lasso, PanelDataApproach
from jjjpolicy.synth.partially_pooled import PartiallyPooledSyntheticControl
from jjjpolicy.synth.penalized import PenalizedSyntheticControl
from jjjpolicy.synth.region_account import EffectOn, region_account
from jjjpolicy.synth.spillover import SpilloverSyntheticControl
from jjjpolicy.synth.synthetic_control import SyntheticControl
from jjjpolicy.synth.synthetic_did import SyntheticDiD
from jjjpolicy.synth.weights.predictor_weights import (
    CrossValidated,
    GivenWeights,
    InverseVariance,
    NestedSearch,
    RegressionBased,
)
from jjjpolicy.synth.weights.predictors import Predictor

__all__ = [
    "AugmentedSyntheticControl",
    "BestSubset",
    "CommonEffect",
    "CrossValidated",
    "DemeanedSyntheticControl",
    "DistanceDecay",
    "EffectOn",
    "ElasticNetSyntheticControl",
    "FrankWolfe",
    "FreeEffects",
    "GeneralizedSyntheticControl",
    "GivenWeights",
    "HeldWeights",
    "InclusiveSyntheticControl",
    "InverseVariance",
    "Lasso",
    "Links",
    "MatrixCompletion",
    "MultipleOutcomeSyntheticControl",
    "NestedSearch",
    "PanelDataApproach",
    "PartiallyPooledSyntheticControl",
    "PenalizedSyntheticControl",
    "Predictor",
    "RegressionBased",
    "Rings",
    "SpilloverSyntheticControl",
    "SyntheticControl",
    "SyntheticDiD",
    "region_account",
]
