"""The command line: ``jjjpolicy reproduce`` and its neighbours.

Commands import what they need when they run, so that ``jjjpolicy --help`` is fast.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from jjjpolicy.cli import (
    advise,
    calibrate,
    data,
    diff,
    estimate,
    new_study,
    package,
    reproduce,
    trace,
    verify,
)
from jjjpolicy.cli.language import language_of, say, speak, spoken, told, translate
from jjjpolicy.errors import DataError, JJJPolicyError

EXIT_CODES = (
    "Exit codes: 0 done, nothing differs; 1 error; 2 wrong usage; 3 differences found "
    "(verify, diff); 130 interrupted."
)
INTERRUPTED = 130
_DEBUG = "JJJPOLICY_DEBUG"

app = typer.Typer(
    name="jjjpolicy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog=EXIT_CODES)
def common(
    debug: Annotated[bool, typer.Option(help="Show where in the code an error arose.")] = False,
    language: Annotated[
        str | None,
        typer.Option(
            help="Language of help, messages and figures: en or zh; by default that of the locale."
        ),
    ] = None,
) -> None:
    """Policy evaluation with few treated regions: estimate, reproduce, verify, trace."""
    if language not in (None, "en", "zh"):
        raise DataError(f"--language {language!r}: choose en or zh.")
    if debug:
        os.environ[_DEBUG] = "1"


app.command(epilog=EXIT_CODES)(reproduce.reproduce)
app.command(epilog=EXIT_CODES)(verify.verify)
app.command(epilog=EXIT_CODES)(trace.trace)
app.command(epilog=EXIT_CODES)(diff.diff)
app.command(epilog=EXIT_CODES)(advise.advise)
app.command(epilog=EXIT_CODES)(estimate.estimate)
app.command(epilog=EXIT_CODES)(estimate.methods)
app.command(epilog=EXIT_CODES)(calibrate.calibrate)
app.command("new-study", epilog=EXIT_CODES)(new_study.new_study)
app.command(epilog=EXIT_CODES)(package.package)
app.add_typer(data.app, name="data", epilog=EXIT_CODES)


def main() -> None:
    """Run the command line; errors end with exit code 1 and no traceback, unless asked for.

    Warnings follow what a command prints, each once and without the place in the code.
    """
    speak(language_of(sys.argv[1:], os.environ))
    command = typer.main.get_command(app)
    if spoken() != "en":
        translate(command)
    notes: dict[str, None] = {}
    if not sys.warnoptions:
        warnings.showwarning = lambda message, *_, **__: notes.setdefault(str(message))
    try:
        command()
    except JJJPolicyError as error:
        _fail(str(error))
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            typer.echo(say("Interrupted. Run the command again; it goes on from there."), err=True)
        raise
    except Exception as error:
        _fail(
            say(
                "{error}. This was not foreseen; see it with --debug.",
                error=f"{type(error).__name__}: {error}",
            )
        )
    finally:
        for note in notes:
            typer.echo(say("Note: {note}", note=told(note)), err=True)


def _fail(message: str) -> None:
    if os.environ.get(_DEBUG):
        raise
    typer.echo(say("Error: {message}", message=told(message)), err=True)
    sys.exit(1)
