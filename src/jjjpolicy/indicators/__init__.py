"""Measures of regional economics: plain functions on tables of regions and years.

A table has one row for each region and year (index levels ``region`` and ``year``) and one column
for each industry or variable. A missing input gives a missing result; it is never filled.
"""

from jjjpolicy.indicators.convergence import BetaConvergence, beta_convergence, sigma_convergence
from jjjpolicy.indicators.coupling import (
    coupling_coordination,
    coupling_degree,
    coupling_degree_power,
    coupling_degree_wang,
)
from jjjpolicy.indicators.inequality import theil_decomposition
from jjjpolicy.indicators.research import rd_structure
from jjjpolicy.indicators.segmentation import market_segmentation, relative_price_variance
from jjjpolicy.indicators.similarity import krugman_dissimilarity, structural_similarity
from jjjpolicy.indicators.specialisation import (
    herfindahl,
    herfindahl_of_industries,
    krugman_specialisation,
    location_quotient,
    others,
)
from jjjpolicy.indicators.stages import (
    stage_by_employment,
    stage_by_income,
    stage_by_structure,
    stage_by_urbanisation,
)
from jjjpolicy.indicators.structural_change import (
    absolute_change,
    lilien,
    modified_lilien,
    moore_angle,
)
from jjjpolicy.indicators.technology import leapfrogging_ratio, technology_flow_ratio

__all__ = [
    "BetaConvergence",
    "absolute_change",
    "beta_convergence",
    "coupling_coordination",
    "coupling_degree",
    "coupling_degree_power",
    "coupling_degree_wang",
    "herfindahl",
    "herfindahl_of_industries",
    "krugman_dissimilarity",
    "krugman_specialisation",
    "leapfrogging_ratio",
    "lilien",
    "location_quotient",
    "market_segmentation",
    "modified_lilien",
    "moore_angle",
    "others",
    "rd_structure",
    "relative_price_variance",
    "sigma_convergence",
    "stage_by_employment",
    "stage_by_income",
    "stage_by_structure",
    "stage_by_urbanisation",
    "structural_similarity",
    "technology_flow_ratio",
    "theil_decomposition",
]
