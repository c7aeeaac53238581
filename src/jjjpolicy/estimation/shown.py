"""An estimate in words and in a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jjjpolicy.linalg.brief import ShownAsHTML, renderer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown(ShownAsHTML):
    """Base of what has a summary and a plot; what draws them is found when they are asked for."""

    def summary(
        self, *, level: float = 0.95, digits: int | None = None, language: str | None = None
    ) -> str:
        """In words.

        Parameters
        ----------
        level, digits, language
            As for :func:`jjjpolicy.report.estimates.summary.summary`.
        """
        return str(renderer("summary")(self, level=level, digits=digits, language=language))

    def plot(
        self,
        kind: str | None = None,
        *,
        level: float = 0.95,
        digits: int | None = None,
        language: str | None = None,
    ) -> Figure:
        """In a figure.

        Parameters
        ----------
        kind, level, digits, language
            As for :func:`jjjpolicy.report.estimates.plots.plot`.
        """
        options = {"level": level, "digits": digits, "language": language}
        figure: Figure = renderer("plot")(self, kind, **options)
        return figure
