"""Processes that run the given code, each in a new folder and with a timeout."""

import json
import os
import re
import resource
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

MAX_ANSWER_BYTES = 8 << 20
MAX_FILE_BYTES = 4 << 20
PYTHON = [sys.executable, "-s", "-B"]


def fresh_folder(files):
    """Creates a folder with the given files: a mapping of names to texts."""
    folder = tempfile.mkdtemp(prefix="run-")
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    return folder


def bound_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))


def environment(hash_seed="0"):
    """Returns variables in which home folder, user and time zone depend on the hash seed, to expose dependence on them."""
    elsewhere = {"HOME": "/elsewhere", "USER": "other", "LOGNAME": "other", "TZ": "OTHER-9", "COLUMNS": "97"}
    return {**os.environ, **(elsewhere if hash_seed != "0" else {}), "PYTHONHASHSEED": hash_seed}


def probe(request, seconds, hash_seed="0"):
    """Runs `probe` and returns its answer; `None` if the given code prevented one."""
    folder = fresh_folder({f"{request['name']}.py": request["programs"][0]["source"]})
    reading, writing = os.pipe()
    child = None
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-m", "promptcraft_tools.probe"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(hash_seed),
            pass_fds=[writing],
            preexec_fn=bound_files,
            start_new_session=True,
        )
        os.close(writing)
        try:
            child.stdin.write(json.dumps({**request, "pipe": writing}).encode())
            child.stdin.close()
        except BrokenPipeError:
            pass
        answer = read_all(reading, seconds)
        return parsed(answer)
    finally:
        os.close(reading)
        if child:
            end(child)
        shutil.rmtree(folder, ignore_errors=True)


def read_all(descriptor, seconds):
    """Reads until the end, the deadline or the size limit."""
    deadline, parts, size = time.monotonic() + seconds, [], 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while size <= MAX_ANSWER_BYTES and selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(descriptor, 1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
    return b""


def parsed(answer):
    try:
        results = json.loads(answer)
    except ValueError:
        return None
    return results if isinstance(results, list) and all(isinstance(result, dict) for result in results) else None


def end(child):
    """Kills a process and its session."""
    try:
        os.killpg(child.pid, 9)
    except ProcessLookupError:
        pass
    child.wait()


def run_program(name, text, seconds):
    """Runs a file as a program; returns its exit code (`None` after a timeout), output and last line of stderr."""
    folder = fresh_folder({name: text})
    try:
        return outcome_of([*PYTHON, name], folder, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_tests(files, target, seconds):
    """Runs pytest with doctests on one of the files; returns its exit code and the number of passed tests."""
    folder = fresh_folder(files)
    options = ["-q", "--no-header", "--tb=no", "--color=no", "-p", "no:cacheprovider", "--doctest-modules"]
    try:
        command = [*PYTHON, "-m", "pytest", *options, f"--rootdir={folder}", "-c", "/dev/null", target]
        code, output, _ = outcome_of(command, folder, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    passed = re.findall(r"\b(\d+) passed", output)
    return code, int(passed[-1]) if passed else 0


def outcome_of(command, folder, seconds):
    out, err = os.path.join(folder, ".out"), os.path.join(folder, ".err")
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment(),
            preexec_fn=bound_files,
            start_new_session=True,
        )
        try:
            child.wait(seconds)
            code = child.returncode
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end(child)
    return code, read_text(out), last_line(read_text(err))


def read_text(path):
    with open(path, "rb") as file:
        return file.read(MAX_FILE_BYTES).decode("utf-8", "replace")


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
