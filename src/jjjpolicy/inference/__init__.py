"""Inference methods: each turns an estimate into standard errors, p-values and intervals."""

from jjjpolicy.inference.cluster_bootstrap import ClusterBootstrap
from jjjpolicy.inference.clustered import Clustered
from jjjpolicy.inference.conditional_randomization import ConditionalRandomization
from jjjpolicy.inference.conformal import Conformal
from jjjpolicy.inference.debiased_t_test import DebiasedTTest
from jjjpolicy.inference.end_of_sample import EndOfSample
from jjjpolicy.inference.families import holm, romano_wolf
from jjjpolicy.inference.few_treated import ConleyTaber, FermanPinto
from jjjpolicy.inference.influence_function import InfluenceFunction, MultiplierBootstrap
from jjjpolicy.inference.jackknife import Jackknife
from jjjpolicy.inference.kernels import Conley, DriscollKraay
from jjjpolicy.inference.no_spillover import spillover_test
from jjjpolicy.inference.parametric_bootstrap import ParametricBootstrap
from jjjpolicy.inference.placebo_periods import PlaceboPeriods
from jjjpolicy.inference.placebo_units import PlaceboUnits
from jjjpolicy.inference.prediction_intervals import PredictionIntervals
from jjjpolicy.inference.randomization import RandomizationInference
from jjjpolicy.inference.rearrangement import RearrangementTest
from jjjpolicy.inference.uniform_bands import uniform_bands
from jjjpolicy.inference.wild_cluster_bootstrap import WildClusterBootstrap

__all__ = [
    "ClusterBootstrap",
    "Clustered",
    "ConditionalRandomization",
    "Conformal",
    "Conley",
    "ConleyTaber",
    "DebiasedTTest",
    "DriscollKraay",
    "EndOfSample",
    "FermanPinto",
    "InfluenceFunction",
    "Jackknife",
    "MultiplierBootstrap",
    "ParametricBootstrap",
    "PlaceboPeriods",
    "PlaceboUnits",
    "PredictionIntervals",
    "RandomizationInference",
    "RearrangementTest",
    "WildClusterBootstrap",
    "holm",
    "romano_wolf",
    "spillover_test",
    "uniform_bands",
]
