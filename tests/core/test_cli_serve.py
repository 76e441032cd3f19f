"""``python -m core serve`` before it serves; what it serves is tested in ``api/``."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import SettingError

ROOT = Path(__file__).resolve().parents[2]


def test_a_port_that_is_in_use_is_one_sentence_before_the_networks_are_loaded(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "--port", str(port), "--checkpoints", str(tmp_path)])
    assert isinstance(result.exception, SettingError)
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in str(result.exception)
    assert not result.output


def test_an_ipv6_address_is_printed_as_browsers_need_it(checkpoint_root):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    command = [sys.executable, "-m", "core", "serve", "--host", "::1", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--checkpoints", str(checkpoint_root)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        said = process.stderr.readline()
        process.terminate()
    assert f"documentation: http://[::1]:{port}/docs" in said
