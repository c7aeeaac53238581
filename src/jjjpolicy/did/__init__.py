"""Difference-in-differences estimators, one per module, and what exposes units to others."""

from jjjpolicy.did.callaway_santanna import CallawaySantAnna
from jjjpolicy.did.chaisemartin_dhaultfoeuille import ChaisemartinDHaultfoeuille
from jjjpolicy.did.chosen_rings import ring_partition
from jjjpolicy.did.continuous_treatment import ContinuousTreatment
from jjjpolicy.did.event_study import EventStudy
from jjjpolicy.did.exposure import (
    ExponentialDecay,
    ExposureMatrix,
    InverseDistance,
    ShareOfNeighbours,
)
from jjjpolicy.did.extended_twfe import ExtendedTWFE
from jjjpolicy.did.imputation import Imputation
from jjjpolicy.did.local_projections import LocalProjections
from jjjpolicy.did.spillover_exposure import SpilloverExposure
from jjjpolicy.did.spillover_rings import SpilloverRings
from jjjpolicy.did.stacked import Stacked
from jjjpolicy.did.sun_abraham import SunAbraham
from jjjpolicy.did.triple_difference import TripleDifference
from jjjpolicy.did.two_stage import TwoStage
from jjjpolicy.did.two_way_fixed_effects import TwoWayFixedEffects

__all__ = [
    "CallawaySantAnna",
    "ChaisemartinDHaultfoeuille",
    "ContinuousTreatment",
    "EventStudy",
    "ExponentialDecay",
    "ExposureMatrix",
    "ExtendedTWFE",
    "Imputation",
    "InverseDistance",
    "LocalProjections",
    "ShareOfNeighbours",
    "SpilloverExposure",
    "SpilloverRings",
    "Stacked",
    "SunAbraham",
    "TripleDifference",
    "TwoStage",
    "TwoWayFixedEffects",
    "ring_partition",
]
