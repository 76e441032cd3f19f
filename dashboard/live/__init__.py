"""The live view: frames of the browser's camera arrive on a WebSocket, numbers go back; no script runs per frame.

The modules that the server imports, ``frames`` and ``viewers``, load no network.
"""
