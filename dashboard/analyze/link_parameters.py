"""Everything on Analyze that a link can carry besides class, "rather than" class and face: one line for each widget."""

from __future__ import annotations

from core.explain import REGION_NAMES, saliency_methods
from core.inference import FACE_ORDERS
from core.probes import OCCLUSION_PRESETS, PERTURBATION_SETTINGS, VIEWS
from dashboard import services
from dashboard.analyze import PANELS, gallery, saliency, uncertainty
from dashboard.analyze import methods as method_panel
from dashboard.analyze.saliency_options import DEFAULT_STAGE
from dashboard.plots import saliency_pictures
from dashboard.ui.network_picker import titles
from dashboard.ui.url_parameters import Choice, Number, Parameter, Switch, Word, choices


def parameters() -> dict[str, Parameter]:
    """By the widget's key, which is its name in the address."""
    networks = titles(list(services.listing().with_weights))
    known = {name: method.title for name, method in saliency_methods().items()}
    return {
        "networks": Choice("network", networks, tuple(networks)),
        "detector": Choice("detector", services.DETECTORS, next(iter(services.DETECTORS))),
        "show": choices("view", (gallery.ONE, gallery.ALL), gallery.ONE),
        "gallery_order": choices("order", FACE_ORDERS, FACE_ORDERS[0]),
        "panel": choices("panel", PANELS, next(iter(PANELS))),
        "method": Choice("method", known, next(iter(known))),
        "stage": Word(DEFAULT_STAGE),
        "scale": Choice("scale", saliency.SCALES, next(iter(saliency.SCALES))),
        "colors": choices("colors", saliency_pictures.COLORMAPS, saliency_pictures.COLORMAPS[0]),
        "opacity": Number("opacity", 0.0, 1.0, saliency.OPACITY),
        "methods": Choice("method", {name: method_panel.titled(name) for name in known}, method_panel.AT_FIRST),
        "region": choices("region", REGION_NAMES, "mouth"),
        **{
            name: Number(knob.title, knob.low, knob.high, knob.identity) for name, knob in PERTURBATION_SETTINGS.items()
        },
        "mirrored": Switch("mirrored"),
        "hidden_parts": choices("hidden part", OCCLUSION_PRESETS, ()),
        "along": Choice(
            "slider",
            {name: knob.title for name, knob in PERTURBATION_SETTINGS.items()},
            next(iter(PERTURBATION_SETTINGS)),
        ),
        "target": Number("an accuracy of", uncertainty.LOWEST, uncertainty.HIGHEST, uncertainty.TARGET),
        "views": Choice("average", uncertainty.VIEW_NAMES, VIEWS[0]),
    }
