"""The language in which commands speak: that of ``--language``, otherwise that of the locale.

What commands say is written in English where it is said; :data:`~jjjpolicy.cli.chinese.CHINESE`
has the same in Chinese, :data:`~jjjpolicy.cli.messages.FORMS` what other rooms raise. What has no
translation stays in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

FLAG = "--language"
_HEADINGS = (
    "ARGUMENTS_PANEL_TITLE",
    "OPTIONS_PANEL_TITLE",
    "COMMANDS_PANEL_TITLE",
    "ERRORS_PANEL_TITLE",
    "ABORTED_TEXT",
    "DEFAULT_STRING",
    "REQUIRED_LONG_STRING",
    "RICH_HELP",
)
_spoken = "en"


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language asked for on the command line, or that of the locale: ``"en"`` or ``"zh"``.

    Parameters
    ----------
    arguments : sequence of str
        What follows the name of the program. Another language than these two is left to the
        command, which refuses it.
    environment : mapping
        ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` name the locale, the first that is set deciding.
    """
    asked = [after for flag, after in pairwise(arguments) if flag == FLAG]
    asked += [each.partition("=")[2] for each in arguments if each.startswith(f"{FLAG}=")]
    if asked:
        return "zh" if asked[-1] == "zh" else "en"
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.startswith("zh") else "en"


def speak(language: str) -> None:
    """Say everything from now on in a language."""
    global _spoken
    _spoken = language


def spoken() -> str:
    """The language in which commands speak."""
    return _spoken


def say(text: str, **values: object) -> str:
    """The text in the language spoken, with values in the place of their names in braces."""
    return translated(text).format(**values)


def translated(text: str) -> str:
    """The text in the language spoken; paragraphs are translated one by one."""
    if _spoken == "en":
        return text
    return "\n\n".join(map(_paragraph, text.split("\n\n")))


def told(message: str) -> str:
    """A finished message in the language spoken, as far as its form is known."""
    if _spoken == "en":
        return message
    from jjjpolicy.cli.messages import in_chinese

    return in_chinese(message)


def translate(command: Any) -> None:
    """Translate help and usage errors of a command and of those below it.

    The language becomes the default of their ``--language``.

    Parameters
    ----------
    command : click.Command
        What ``typer.main.get_command`` makes.
    """
    from typer import rich_utils

    for name in _HEADINGS:
        setattr(rich_utils, name, translated(getattr(rich_utils, name)))
    rich_utils._make_rich_text = _folding(rich_utils._make_rich_text)
    rich_utils.highlighter = _telling(rich_utils.highlighter)
    _translate(command)


def _translate(command: Any) -> None:
    command.help = translated(command.help or "")
    command.epilog = translated(command.epilog or "")
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = translated(parameter.help)
        if FLAG in parameter.opts:
            parameter.default = _spoken
    for below in getattr(command, "commands", {}).values():
        _translate(below)


def _folding(make: Callable[..., Any]) -> Callable[..., Any]:
    """Text that breaks where a line is full: Chinese has no spaces, and rich would cut it off."""

    def folded(*arguments: Any, **options: Any) -> Any:
        text = make(*arguments, **options)
        text.overflow = "fold"
        return text

    return folded


def _telling(highlight: Callable[..., Any]) -> Any:
    """Usage and usage errors, which come as plain text, in the language spoken."""
    return lambda text: highlight(told(text) if isinstance(text, str) else text)


def _paragraph(text: str) -> str:
    from jjjpolicy.cli.chinese import CHINESE

    words = " ".join(text.split())
    for head, chinese in (("Examples:", "示例："), ("Example:", "示例：")):
        if words.startswith(head):
            return chinese + words.removeprefix(head).lstrip()
    return CHINESE.get(words, text)
