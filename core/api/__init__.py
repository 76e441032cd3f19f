"""The HTTP API: the analysis of the command line, for programs; see ``core.api.application``.

``core.api.mounting`` serves it next to other routes, ``python -m core serve`` alone. Every limit is in
``core.api.limits``. Photos are neither written nor logged, and no data from them is kept after the response.
"""
