"""Recipes of networks with a few weights."""

import json

SMALL = {"stem": 4, "widths": [8, 8], "blocks": 1}


def write_recipe(path, **options):
    """A recipe file for a network of a few weights; returns its path as text."""
    values = {"architecture": "cnn", "labels": "data", "epochs": 1, "batch_size": 16} | options
    model = "[model]\nstem = 4\nwidths = [8, 8]\nblocks = 1\n"
    path.write_text("\n".join(f"{k} = {json.dumps(v)}" for k, v in values.items()) + "\n" + model)
    return str(path)
