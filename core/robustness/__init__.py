"""How much of a network's accuracy is left under blur, noise, other light, compression, turning, shifting and hiding.

After Hendrycks & Dietterich (ICLR 2019): one test set, several perturbations, five strengths each, none of them seen as
such in training, and one number for all of them. It describes networks that are final; nothing is chosen by it.
"""

from core.robustness.files import command, load_robustness, save_robustness
from core.robustness.measuring import measure
from core.robustness.perturbations import PERTURBATIONS, SEED, STRENGTHS, GradedPerturbation, perturb
from core.robustness.results import CLEAN, CONDITIONS, Robustness

__all__ = [
    "CLEAN",
    "CONDITIONS",
    "PERTURBATIONS",
    "SEED",
    "STRENGTHS",
    "GradedPerturbation",
    "Robustness",
    "command",
    "load_robustness",
    "measure",
    "perturb",
    "save_robustness",
]
