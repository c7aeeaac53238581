"""Firm records to flows between regions, and a gravity model of the flows."""

from jjjpolicy.relocation.branches import branches
from jjjpolicy.relocation.events import from_events
from jjjpolicy.relocation.flows import entries_exits, flows, net_relocation
from jjjpolicy.relocation.records import FirmRecords, firm_records
from jjjpolicy.relocation.simulation import SimulatedRegistry

__all__ = [
    "FirmRecords",
    "SimulatedRegistry",
    "branches",
    "entries_exits",
    "firm_records",
    "flows",
    "from_events",
    "net_relocation",
]
