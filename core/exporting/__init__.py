"""Trained networks as files for other programs: ONNX, with 32 bits or quantized to 8 bits, and torch.export.

An exported file takes images at the network's input size, normalizes them, and returns logits, class maps and features,
so that it explains its own predictions. Every file is compared with PyTorch before it is written.
"""
