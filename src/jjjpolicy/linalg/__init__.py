"""Linear algebra that estimation rests on: two-way demeaning and simplex weights."""

from jjjpolicy.linalg.simplex import SimplexSolution, simplex_least_squares
from jjjpolicy.linalg.twoway import independent_columns, two_way_demean

__all__ = ["SimplexSolution", "independent_columns", "simplex_least_squares", "two_way_demean"]
