"""The demonstration shows what README.md says, notices a wrong answer, and leaves nothing behind."""

import os
import re
import subprocess

import pytest

from documents import BUILD, ROOT


def demo(build, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = subprocess.run(
        [ROOT / "tools" / "demo", build],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert list(temporary.iterdir()) == []
    return result


def build_with(tmp_path, program, text):
    """The programs, one of them replaced; REAL in its text stands for the real one."""
    build = tmp_path / "build"
    build.mkdir()
    for name in ("xmpp-authd", "xmpp-authctl", "xmpp-extauth"):
        (build / name).symlink_to(BUILD.resolve() / name)
    (build / program).unlink()
    (build / program).write_text("#!/bin/sh\n" + text.replace("REAL", str(BUILD.resolve() / program)))
    (build / program).chmod(0o755)
    return build


def test_demo_shows_what_readme_promises(tmp_path):
    result = demo(BUILD, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    for framing in ("ejabberd", "generic"):
        assert f"   {framing:8} <- auth:alice:localhost:" in result.stdout
    for line in ("-> yes  (log: reason=allowed)", "-> no   (log: reason=replayed)", "-> no   (log: reason=malformed)",
                 "-> no   (log: reason=expired)", "deny expired: made by a clock that is ", "<- isuser:bob:localhost",
                 "localhost  "):
        assert line in result.stdout
    assert re.search(r"^ +replayed +2$", result.stdout, flags=re.MULTILINE)


@pytest.mark.parametrize("answer", ["yes", "no", "try-again"])
def test_demo_fails_on_a_wrong_answer(tmp_path, answer):
    text = f'case " $* " in *" query "*) REAL "$@" >/dev/null; echo {answer} ;; *) exec REAL "$@" ;; esac\n'
    result = demo(build_with(tmp_path, "xmpp-authctl", text), tmp_path)
    assert result.returncode != 0
    assert "!! the answer should have been" in result.stdout and "answers above are wrong" in result.stderr


def test_demo_fails_on_a_wrong_explanation(tmp_path):
    text = 'case " $* " in *" check "*) echo "deny forged: it is not" ;; *) exec REAL "$@" ;; esac\n'
    result = demo(build_with(tmp_path, "xmpp-authctl", text), tmp_path)
    assert result.returncode != 0 and "!! the verdict should have been: deny expired" in result.stdout


def test_demo_fails_where_the_daemon_does_not_start_and_shows_its_log(tmp_path):
    result = demo(build_with(tmp_path, "xmpp-authd", "echo level=error event=start-failed >&2; exit 1\n"), tmp_path)
    assert result.returncode != 0
    assert "the daemon did not start" in result.stderr and "event=start-failed" in result.stderr


def test_demo_fails_where_the_daemon_does_not_stop_in_order(tmp_path):
    text = 'REAL "$@" & trap "kill $!; wait $!; exit 3" TERM; wait\n'
    result = demo(build_with(tmp_path, "xmpp-authd", text), tmp_path)
    assert result.returncode != 0 and "the daemon exited with status 3" in result.stderr
