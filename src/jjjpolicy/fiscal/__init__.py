"""Sharing the tax of firms that move: the rule of June 2015 and its variations as a calculator."""

from jjjpolicy.fiscal.balance import break_even
from jjjpolicy.fiscal.local_part import LOCAL_SHARES, LocalShare, add_local_part
from jjjpolicy.fiscal.rule import (
    HAIDIAN_QINHUANGDAO,
    RULE_2015,
    TAXES,
    THREE_TAXES,
    SharingRule,
)
from jjjpolicy.fiscal.sharing import Sharing, compare_rules, share

__all__ = [
    "HAIDIAN_QINHUANGDAO",
    "LOCAL_SHARES",
    "RULE_2015",
    "TAXES",
    "THREE_TAXES",
    "LocalShare",
    "Sharing",
    "SharingRule",
    "add_local_part",
    "break_even",
    "compare_rules",
    "share",
]
