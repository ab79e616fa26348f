"""No log line of TensorFlow reaches the terminal, and nothing else is lost."""

import os
import subprocess
import sys

import pytest

from unetbench.benchmark.run.tensorflow_log import LEVEL, LINE, holding_stderr_back, last_lines, last_words

CALL = "import sys; from unetbench.benchmark.cli import main; sys.exit(main())"


def _command(*words, **environment):
    clean = {name: value for name, value in os.environ.items() if name != LEVEL}
    call = [sys.executable, "-c", CALL, *map(str, words)]
    return subprocess.run(
        call, capture_output=True, text=True, timeout=300, check=False, env={**clean, "COLUMNS": "80", **environment}
    )


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, write_sweep):
    return write_sweep(tmp_path_factory.mktemp("quiet"), "quiet", models=["unet_quarter"])


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "SWEEP", "--results", "OUT"),
        pytest.param(("data", "check", "SWEEP", "--results", "OUT"), marks=pytest.mark.slow),
        pytest.param(("show", "models", "unet_quarter", "--draw", "OUT/unet.svg"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_a_command_writes_nothing_to_stderr(words, sweep, tmp_path):
    places = {"SWEEP": str(sweep), "OUT": str(tmp_path)}
    for word, place in places.items():
        words = tuple(given.replace(word, place) for given in words)
    process = _command(*words)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""


def test_a_run_writes_its_progress_only(sweep, tmp_path):
    process = _command("run", sweep, "--results", tmp_path, "--set", "recipe.epochs=1")
    assert process.returncode == 0, process.stderr
    assert [line.split(":")[0] for line in process.stderr.splitlines()] == [
        "[1/1] cells · unet_quarter · bce_dice · seed 0",
        "1 trial",
    ]
    assert not [line for line in process.stdout.splitlines() if LINE.match(line.encode())]


def test_who_asks_for_the_log_sees_it(sweep, tmp_path):
    process = _command("plan", sweep, "--results", tmp_path, **{LEVEL: "0"})
    assert [line for line in process.stderr.splitlines() if LINE.match(line.encode())]


def test_what_is_no_line_of_the_log_is_shown_afterwards(capfd):
    lines = [
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "I0000 00:00:1795823889.106405   11466 port.cc:153] oneDNN custom operations are on.",
        "E0000 00:00:1795823893.366949   11466 cuda_platform.cc:52] failed call to cuInit",
        "2026-01-02 03:04:05.678901: W tensorflow/core/x.cc:1] odd",
        "F0000 00:00:1795823893.366949   11466 cpu_feature_guard.cc:1] needs AVX",
        "RuntimeWarning: numpy.dtype size changed",
    ]
    with holding_stderr_back():
        os.write(2, "".join(f"{line}\n" for line in lines).encode())
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err.splitlines() == lines[4:]


def test_everything_is_shown_when_the_import_fails(tmp_path):
    broken = tmp_path / "tensorflow" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text("import os; os.write(2, b'E0000 00:00:01.5 1 x.cc:1] no driver\\n'); raise ImportError('broken')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from unetbench.benchmark.run.tensorflow_log import quiet_tensorflow\n"
        "quiet_tensorflow(); quiet_tensorflow()\n"
        "import tensorflow\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != LEVEL}
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=clean)
    assert process.returncode == 1
    assert "no driver" in process.stderr
    assert "ImportError: broken" in process.stderr


def test_the_last_words_of_a_process_are_its_own():
    log = (
        b"loading\nOut of device memory \xff\n"
        b"I0000 00:00:1795837012.598578   25037 port.cc:153] oneDNN custom operations are on.\n"
        b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n\n"
    )
    assert last_lines(log) == ["loading", "Out of device memory \ufffd"]
    assert last_words(last_lines(log)) == "Out of device memory \ufffd"
    assert last_words(last_lines(log.split(b"\n", 2)[2])) == ""


def test_twenty_lines_of_three_hundred_letters_are_kept():
    log = b"".join(b"%d %s\n" % (number, b"x" * 400) for number in range(50))
    lines = last_lines(log)
    assert [line.split()[0] for line in lines] == [str(number) for number in range(30, 50)]
    assert {len(line) for line in lines} == {300}


def test_of_a_process_that_a_signal_ended_the_innermost_calls_are_kept_and_what_was_said_before():
    calls = b"".join(b'  File "keras.py", line %d in call\n' % number for number in range(40))
    fatal = b"Fatal Python error: Aborted\n\nCurrent thread 0x7f (most recent call first):\n" + calls
    check = b"F0000 00:00:1795823893.366949   11466 tensor.cc:1] Check failed: new_num_elements >= 0\n"
    lines = last_lines(b"loading\n" + check + fatal)
    assert lines[:3] == [
        check.decode().strip(),
        "Fatal Python error: Aborted",
        "Current thread 0x7f (most recent call first):",
    ]
    assert lines[3] == '  File "keras.py", line 0 in call'
    assert len(lines) == 20
    assert last_words(lines) == check.decode().strip()
    assert last_words(last_lines(fatal)) == "Fatal Python error: Aborted"
