"""Firm records to flows between regions, and a gravity model of the flows."""

from jjjpolicy.relocation.branches import branches
from jjjpolicy.relocation.events import from_events
from jjjpolicy.relocation.flows import entries_exits, flows, net_relocation
from jjjpolicy.relocation.gravity import GravityResult, gravity
from jjjpolicy.relocation.pairs import all_pairs, distances, with_distance, with_policy
from jjjpolicy.relocation.records import FirmRecords, firm_records
from jjjpolicy.relocation.simulation import SimulatedRegistry

__all__ = [
    "FirmRecords",
    "GravityResult",
    "SimulatedRegistry",
    "all_pairs",
    "branches",
    "distances",
    "entries_exits",
    "firm_records",
    "flows",
    "from_events",
    "gravity",
    "net_relocation",
    "with_distance",
    "with_policy",
]
