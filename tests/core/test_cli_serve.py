"""``python -m core serve`` before it serves; what it serves is tested in ``api/``."""

import socket

from typer.testing import CliRunner

from core.cli import app
from core.errors import SettingError


def test_a_port_that_is_in_use_is_one_sentence_before_the_networks_are_loaded(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "--port", str(port), "--checkpoints", str(tmp_path)])
    assert isinstance(result.exception, SettingError)
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in str(result.exception)
    assert not result.output
