"""What an estimate rests on."""

from jjjpolicy.sensitivity.leave_one_out import leave_one_out

__all__ = ["leave_one_out"]
