"""``python -m core export``: what is written, what is printed and what is refused."""

import shutil

import onnx
import pytest
from typer.testing import CliRunner

from core.checkpoints import load_checkpoint
from core.cli import Interrupted, app
from core.errors import ExportError, OutputError
from core.exporting import conversion


def export(*arguments):
    """The result of the command line without networks from elsewhere."""
    return CliRunner().invoke(app, ["export", *map(str, arguments)], env={"FERSCOPE_DATA": None, "COLUMNS": "300"})


def test_a_network_is_written_in_32_and_8_bit(checkpoint_root, image_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = export("tiny_cnn", "--checkpoints", checkpoint_root)
    assert plain.exit_code == 0, plain.output
    assert "tiny_cnn.onnx: 0.1 MB; outputs differ from PyTorch's by at most" in plain.stdout
    options = ("--quantize", "int8", "--data", image_folder, "--checkpoints", checkpoint_root)
    quantized = export("tiny_cnn", *options, "--accuracy-floor", 0)
    assert quantized.exit_code == 0, quantized.output
    assert "with 8 bits" in quantized.stdout
    assert "with 32 bits" in quantized.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny_cnn-int8.onnx", "tiny_cnn.onnx"]
    onnx.checker.check_model(str(tmp_path / "tiny_cnn-int8.onnx"))


def test_an_8_bit_network_below_the_floor_is_written_with_force_only(
    checkpoint_root, image_folder, tmp_path, monkeypatch
):
    # A network that always predicts the first class cannot reach an accuracy of 1.
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    real = type(load_checkpoint(root / "tiny_cnn")).network

    def constant(self):
        network = real(self)
        network.head.weight.data.zero_()
        return network

    monkeypatch.setattr("core.checkpoints.Checkpoint.network", constant)
    out = tmp_path / "out.onnx"
    options = ("--quantize", "int8", "--data", image_folder, "--checkpoints", root, "--out", out)
    refused = export("tiny_cnn", *options, "--accuracy-floor", 1)
    assert isinstance(refused.exception, ExportError)
    assert "is below the floor of 1.000; the file is not written" in str(refused.exception)
    assert not out.exists()
    forced = export("tiny_cnn", *options, "--accuracy-floor", 1, "--force")
    assert forced.exit_code == 0, forced.output
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--quantize", "int4"), "expected int8"),
        (("--quantize", "int8"), "needs the network's data set"),
        (("--install", "--format", "torch-export"), "cannot be combined"),
        (("--quantize", "int8", "--data", "x", "--format", "torch-export"), "it needs --format onnx"),
        (("--accuracy-floor", 0.5, "--out", "x.onnx"), "--accuracy-floor: it needs --quantize"),
        (("--install", "--skip-bad"), "--skip-bad: it needs --quantize"),
        (("--force",), "--force: it needs --quantize or --install"),
    ],
)
def test_options_that_contradict_each_other_are_refused(checkpoint_root, arguments, found):
    result = export("tiny_cnn", *arguments, "--checkpoints", checkpoint_root)
    assert result.exit_code == 2
    assert found in result.output


def test_a_folder_that_cannot_be_written_is_one_sentence(checkpoint_root, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = export("tiny_cnn", "--out", tmp_path / "file" / "net.onnx", "--checkpoints", checkpoint_root)
    assert "cannot be written" in str(result.exception)


def test_an_input_is_not_replaced(checkpoint_root, tmp_path):
    data, root = tmp_path / "data.csv", tmp_path / "checkpoints"
    data.write_bytes(b"emotion,pixels")
    shutil.copytree(checkpoint_root, root)
    weights = load_checkpoint(root / "tiny_cnn").weights_path
    known = weights.read_bytes()
    for out in (data, weights):
        result = export("tiny_cnn", "--quantize", "int8", "--data", data, "--out", out, "--checkpoints", root)
        assert isinstance(result.exception, OutputError)
        assert "would replace a file that this command reads or writes" in str(result.exception)
    assert (data.read_bytes(), weights.read_bytes()) == (b"emotion,pixels", known)


def failing(cause, message):
    """Converters as those of PyTorch, which turn every error into one of their own."""

    def convert(*_):
        try:
            raise cause
        except BaseException as error:
            raise RuntimeError(message) from error

    return {"onnx": (convert, None)}


def test_ctrl_c_during_a_conversion_is_no_failed_conversion(checkpoint_root, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "_CONVERTERS", failing(KeyboardInterrupt(), "Failed to export"))
    with pytest.raises(Interrupted):
        export("tiny_cnn", "--out", tmp_path / "net.onnx", "--checkpoints", checkpoint_root)


def test_a_failed_conversion_is_one_line_without_colors(checkpoint_root, tmp_path, monkeypatch):
    monkeypatch.setattr(
        conversion, "_CONVERTERS", failing(ValueError(), "\x1b[96mNo operator\x1b[0m for x\nNext steps:")
    )
    result = export("tiny_cnn", "--out", tmp_path / "net.onnx", "--checkpoints", checkpoint_root)
    assert isinstance(result.exception, ExportError)
    assert str(result.exception) == "tiny_cnn cannot be converted to ONNX: No operator for x"


def test_install_says_how_to_return_to_pytorch(checkpoint_root, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    result = export("tiny_cnn", "--install", "--force", "--checkpoints", root)
    assert result.exit_code == 0, result.output
    assert "of PyTorch's time and is used from now on; delete the file" in result.stdout
    assert load_checkpoint(root / "tiny_cnn").onnx_path.is_file()
