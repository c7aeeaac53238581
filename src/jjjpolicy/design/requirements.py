"""What a method may require of a design before it uses it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np

from jjjpolicy.design.arrays import Arrays
from jjjpolicy.design.intake.columns import quoted
from jjjpolicy.errors import DesignError, warn_user

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Booleans


class Requirements(Arrays):
    """The checks by which methods refuse a design, or leave out what they cannot use."""

    def followed(self) -> Self:
        """The design without units that are observed only under treatment, after a warning.

        Their cohort is seen before adoption, they are not: their levels can be compared, but they
        have no change.
        """
        if self.late is None or not self.late.any():
            return self
        reasons = [
            f"no pre-period: treated in every observed period (first treated {since})"
            for since in self.labels.clock.names(self.adoption[self.late])
        ]
        ledger = self.left_out
        for unit, reason in zip(self.units[self.late], reasons, strict=True):
            ledger = ledger.with_units([unit], reason)
        shown = ", ".join(map(quoted, self.units[self.late][:5]))
        warn_user(
            f"{self.labels.unit} {shown}{', …' if len(reasons) > 5 else ''} left out, no "
            f"pre-period: treated in every observed period, and changes of units are compared. "
            f"estimate.design.ledger lists them. Begin earlier if there is data."
        )
        kept = replace(self.keep_units(~self.late, reasons[0]), late=None, left_out=ledger)
        seen: Booleans = np.asarray(kept.observed.any(axis=0))
        return kept if seen.all() else kept.keep_periods(seen, "only units left out are observed")

    def require_balanced(self, method: str) -> None:
        """Raise a `DesignError` naming the absent cells unless the panel is balanced."""
        if self.balanced:
            return
        rows, columns = np.nonzero(~self.observed)
        shown = ", ".join(
            f"{self.labels.unit} {quoted(self.units[int(i)])} in {self.period_names[t]}"
            for i, t in list(zip(rows, columns, strict=True))[:3]
        )
        raise DesignError(
            f"{method} needs every unit in every period, but {len(rows)} cells have no row: {shown}"
            f"{', …' if len(rows) > 3 else ''}. Leave these units out with exclude=[…], or choose "
            f"a window=(first, last) in which they are complete."
        )

    def require_absorbing(self, method: str) -> None:
        """Raise a `DesignError` if treatment switches off."""
        if not self.absorbing:
            raise DesignError(
                f"{method} needs treatment to stay on once it is on; this design was built with "
                f"absorbing=False. Use did.ChaisemartinDHaultfoeuille, or build it without."
            )

    def require_never_treated(self, method: str, at_least: int = 1) -> Booleans:
        """Mask of never-treated units; a `DesignError` if there are fewer than ``at_least``."""
        never = ~self.treated
        if int(never.sum()) < at_least:
            raise DesignError(
                f"{method} needs at least {at_least} never-treated {self.labels.unit}(s), the panel"
                f" has {int(never.sum())}: keep more units in the donor pool (fewer in exclude=…)."
            )
        return never

    def require_units(self, method: str) -> None:
        """Raise a `DesignError` if rows stand for many units."""
        if self.stands_for is not None:
            raise DesignError(
                f"{method} needs the {self.labels.unit}s one by one, and the rows of this design "
                f"stand for many of them: build it with Design.from_frame."
            )

    def require_unweighted(self, method: str) -> None:
        """Raise a `DesignError` if observation weights were given to a method without a use."""
        if self.weights is not None:
            raise DesignError(
                f"{method} has no use for observation weights; build the design without weights=."
            )
