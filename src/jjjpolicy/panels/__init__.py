"""Observations with units of measure, sources and vintages."""
