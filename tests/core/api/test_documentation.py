"""The commands of the README and of the OpenAPI document work as they are written, and the table of limits is one."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from core import checkpoints
from core.api.limits import table
from core.cli import main
from core.sample_photos import sample_photos

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## The HTTP API")[1].split("\n## ")[0]
WRITTEN = "http://127.0.0.1:8600"


def test_the_readme_has_the_table_of_limits():
    assert table() in SECTION


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of ``python -m core serve`` with the networks that ship."""
    if "cnn" not in [c.card.run_id for c in checkpoints.list_checkpoints().with_weights]:
        pytest.skip("the networks that the commands name are not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (command,) = re.findall(r"^python (-m core serve --port) 8600$", SECTION, re.MULTILINE)
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, *command.split(), str(port)], cwd=ROOT, stderr=output)
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ready"):
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
    assert "photo" not in log.read_text()


@pytest.fixture
def folder(tmp_path):
    for name in ("photo", "other"):
        (tmp_path / f"{name}.jpg").write_bytes(sample_photos()["grace_hopper"].data)
    return tmp_path


def curl(command, server, folder):
    done = subprocess.run(
        command.replace(WRITTEN, server).replace("curl ", "curl --silent --fail-with-body ", 1),
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_commands_work_as_written(server, folder):
    with urllib.request.urlopen(f"{server}/openapi.json") as answer:
        document = json.load(answer)
    described = "\n".join(
        operation["post"]["description"] for operation in document["paths"].values() if "post" in operation
    )
    commands = re.findall(r"^curl .*$", SECTION, re.MULTILINE) + re.findall(r"`(curl .*)`", described)
    assert len(commands) == 5
    for command in commands:
        photos = curl(command, server, folder)["photos"]
        assert [len(photo["faces"]) for photo in photos] == [1] * command.count("@"), command
        if "/explain" in command or "maps=" in command:
            assert photos[0]["faces"][0]["maps"], command


def test_the_python_example_works_as_written(server, folder):
    (example,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example.replace(WRITTEN, server)], cwd=folder, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"1 \w+\n", done.stdout)


def test_a_limit_that_cannot_be_used_stops_the_server_with_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["core", "serve"])
    monkeypatch.setenv("FERSCOPE_API_QUEUE", "none")
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert "FERSCOPE_API_QUEUE (requests in progress at the same time" in " ".join(capsys.readouterr().err.split())
