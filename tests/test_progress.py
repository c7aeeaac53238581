import io

from jjjpolicy.estimation.progress import steps, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_unchanged_and_quietly_without_a_terminal(capsys):
    assert list(track(iter(range(50)), "working", total=50)) == list(range(50))
    assert capsys.readouterr().err == ""


def test_terminal_shows_what_is_going_on(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert sum(track(range(50), "working")) == 1225
    assert "working" in terminal.getvalue()
    assert "50/50" in terminal.getvalue()


def test_few_items_show_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    list(track(range(5), "working"))
    assert terminal.getvalue() == ""


def test_generator_of_joblib_is_followed():
    from joblib import Parallel, delayed

    results = Parallel(n_jobs=1, return_as="generator")(delayed(abs)(-i) for i in range(30))
    assert list(track(results, "working", total=30)) == list(range(30))


def test_steps_name_what_is_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with steps("working", 2) as done:
        done("first")
        done("second")
    assert "working: second" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_steps_are_quiet_without_a_terminal(capsys):
    with steps("working", 1) as done:
        done("first")
    assert capsys.readouterr().err == ""


def test_work_inside_of_work_is_not_shown_again(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    for _ in track(range(30), "outer"):
        list(track(range(30), "inner"))
    assert "outer" in terminal.getvalue()
    assert "inner" not in terminal.getvalue()
    list(track(range(30), "afterwards"))
    assert "afterwards" in terminal.getvalue()
