"""Synthetic-control estimators, one per module."""

from jjjpolicy.linalg.frank_wolfe import FrankWolfe
from jjjpolicy.synth.augmented import AugmentedSyntheticControl
from jjjpolicy.synth.elastic_net import ElasticNetSyntheticControl
from jjjpolicy.synth.generalized import GeneralizedSyntheticControl
from jjjpolicy.synth.matrix_completion import MatrixCompletion
from jjjpolicy.synth.partially_pooled import PartiallyPooledSyntheticControl
from jjjpolicy.synth.penalized import PenalizedSyntheticControl
from jjjpolicy.synth.predictor_weights import (
    CrossValidated,
    GivenWeights,
    InverseVariance,
    NestedSearch,
    RegressionBased,
)
from jjjpolicy.synth.predictors import Predictor
from jjjpolicy.synth.synthetic_control import SyntheticControl
from jjjpolicy.synth.synthetic_did import SyntheticDiD

__all__ = [
    "AugmentedSyntheticControl",
    "CrossValidated",
    "ElasticNetSyntheticControl",
    "FrankWolfe",
    "GeneralizedSyntheticControl",
    "GivenWeights",
    "InverseVariance",
    "MatrixCompletion",
    "NestedSearch",
    "PartiallyPooledSyntheticControl",
    "PenalizedSyntheticControl",
    "Predictor",
    "RegressionBased",
    "SyntheticControl",
    "SyntheticDiD",
]
