"""From stored predictions to statistics: confusion, scores with intervals, calibration, significance, errors, slices.

Everything is computed from an :class:`EvaluationRun`, logits per image; nothing here runs a network.
"""

from core.evaluation.annotators import (
    AgreementGroup,
    AnnotatorComparison,
    AnnotatorVotes,
    VoteMatrix,
    annotator_agreement,
    compare_with_annotators,
    label_against_majority,
)
from core.evaluation.calibration import (
    REQUIRED_ACCURACY,
    Abstention,
    ReliabilityDiagram,
    RiskCoverage,
    abstention,
    brier,
    expected_calibration_error,
    fit_temperature,
    nll,
    reliability,
    risk_coverage,
    threshold_for,
)
from core.evaluation.comparability import CommonLabels, comparable_groups, map_to_common_labels
from core.evaluation.confusion import ConfusionDifference, ConfusionMatrix, confusion_difference
from core.evaluation.curves import ClassCurves, Curve, pareto_front, pr_curves, roc_curves, smoothed, top_k
from core.evaluation.ensemble import ENSEMBLE, ensemble_run, log_mean_probabilities, mirror_averaged
from core.evaluation.error_analysis import LabelIssues, disagreement, divergence_bits, error_table, likely_label_errors
from core.evaluation.intervals import Score, mean_score, wilson, wilson_of_shares
from core.evaluation.run import EvaluationRun
from core.evaluation.scores import (
    ClassScores,
    RunSummary,
    accuracy,
    balanced_accuracy,
    macro_f1,
    mirror_consistency,
    per_class,
    summarize,
)
from core.evaluation.significance import (
    PairedComparison,
    compare,
    compare_all,
    holm,
    images_needed,
    leave_one_out,
)
from core.evaluation.slices import BinnedColumn, Slice, bin_columns, slice_report

__all__ = [
    "ENSEMBLE",
    "REQUIRED_ACCURACY",
    "Abstention",
    "AgreementGroup",
    "AnnotatorComparison",
    "AnnotatorVotes",
    "BinnedColumn",
    "ClassCurves",
    "ClassScores",
    "CommonLabels",
    "ConfusionDifference",
    "ConfusionMatrix",
    "Curve",
    "EvaluationRun",
    "LabelIssues",
    "PairedComparison",
    "ReliabilityDiagram",
    "RiskCoverage",
    "RunSummary",
    "Score",
    "Slice",
    "VoteMatrix",
    "abstention",
    "accuracy",
    "annotator_agreement",
    "balanced_accuracy",
    "bin_columns",
    "brier",
    "comparable_groups",
    "compare",
    "compare_all",
    "compare_with_annotators",
    "confusion_difference",
    "disagreement",
    "divergence_bits",
    "ensemble_run",
    "error_table",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "images_needed",
    "label_against_majority",
    "leave_one_out",
    "likely_label_errors",
    "log_mean_probabilities",
    "macro_f1",
    "map_to_common_labels",
    "mean_score",
    "mirror_averaged",
    "mirror_consistency",
    "nll",
    "pareto_front",
    "per_class",
    "pr_curves",
    "reliability",
    "risk_coverage",
    "roc_curves",
    "slice_report",
    "smoothed",
    "summarize",
    "threshold_for",
    "top_k",
    "wilson",
    "wilson_of_shares",
]
