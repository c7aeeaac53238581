"""Untreated outcomes imputed from untreated cells."""
