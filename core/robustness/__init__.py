"""How much accuracy a network retains under blur, noise, changed lighting, compression, rotation, shifts and occlusion.

After Hendrycks & Dietterich (ICLR 2019): one test set, several corruptions at five strengths each, and one number for
all of them. It describes trained networks; no choice is based on it.
"""

from core.robustness.corruptions import CORRUPTIONS, SEED, STRENGTHS, Corruption, corrupt
from core.robustness.measurement import measure
from core.robustness.results import CLEAN, CONDITIONS, Robustness
from core.robustness.storage import load_robustness, measurement_command, save_robustness

__all__ = [
    "CLEAN",
    "CONDITIONS",
    "CORRUPTIONS",
    "SEED",
    "STRENGTHS",
    "Corruption",
    "Robustness",
    "corrupt",
    "load_robustness",
    "measure",
    "measurement_command",
    "save_robustness",
]
