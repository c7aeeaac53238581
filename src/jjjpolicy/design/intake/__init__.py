"""From tables to the arrays of a design: every check of input, in one place."""

from jjjpolicy.design.intake.build import design_from_frame, design_from_policy
from jjjpolicy.design.intake.columns import Columns, listed, quoted, rows_as_units
from jjjpolicy.design.intake.parquet import ParquetRows, design_from_parquet
from jjjpolicy.design.intake.tables import design_from_table
from jjjpolicy.panels.frames import as_frame

__all__ = [
    "Columns",
    "ParquetRows",
    "as_frame",
    "design_from_frame",
    "design_from_parquet",
    "design_from_policy",
    "design_from_table",
    "listed",
    "quoted",
    "rows_as_units",
]
