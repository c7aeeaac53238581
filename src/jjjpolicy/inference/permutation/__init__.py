"""Estimates under other assignments, and ranks among them."""
