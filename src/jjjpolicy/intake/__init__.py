"""From tables to the arrays of a design: every check of input, in one place."""

from jjjpolicy.intake.build import design_from_frame, design_from_policy
from jjjpolicy.intake.columns import Columns, quoted, rows_as_units

__all__ = ["Columns", "design_from_frame", "design_from_policy", "quoted", "rows_as_units"]
