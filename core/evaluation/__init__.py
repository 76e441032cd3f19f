"""From stored answers to figures: confusion, scores with intervals, calibration, significance, errors, slices.

Everything is computed from an :class:`EvaluationRun`, logits per image; nothing here runs a network.
"""

from core.evaluation.calibration import (
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
from core.evaluation.confusion import ConfusionMatrix
from core.evaluation.curves import ClassCurves, Curve, pareto_front, pr_curves, roc_curves, smoothed, top_k
from core.evaluation.ensemble import ensemble_run
from core.evaluation.errors import LabelIssues, confident_mistakes, disagreement, error_table, likely_label_errors
from core.evaluation.human import (
    AgreementGroup,
    AnnotatorVotes,
    HumanAgreement,
    VoteMatrix,
    annotator_agreement,
    ferplus_majority,
    human_agreement,
    label_against_votes,
    truth_against_votes,
)
from core.evaluation.intervals import Score, mean_score, wilson
from core.evaluation.members import Members, on_one_label_set, same_questions
from core.evaluation.run import EvaluationRun
from core.evaluation.scores import ClassScores, RunSummary, accuracy, balanced_accuracy, macro_f1, per_class, summarize
from core.evaluation.significance import Comparison, compare, compare_all, holm, images_needed, leave_one_out
from core.evaluation.slices import Parts, Slice, cut, slice_report

__all__ = [
    "Abstention",
    "AgreementGroup",
    "AnnotatorVotes",
    "ClassCurves",
    "ClassScores",
    "Comparison",
    "ConfusionMatrix",
    "Curve",
    "EvaluationRun",
    "HumanAgreement",
    "LabelIssues",
    "Members",
    "Parts",
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
    "brier",
    "compare",
    "compare_all",
    "confident_mistakes",
    "cut",
    "disagreement",
    "ensemble_run",
    "error_table",
    "expected_calibration_error",
    "ferplus_majority",
    "fit_temperature",
    "holm",
    "human_agreement",
    "images_needed",
    "label_against_votes",
    "leave_one_out",
    "likely_label_errors",
    "macro_f1",
    "mean_score",
    "nll",
    "on_one_label_set",
    "pareto_front",
    "per_class",
    "pr_curves",
    "reliability",
    "risk_coverage",
    "roc_curves",
    "same_questions",
    "slice_report",
    "smoothed",
    "summarize",
    "threshold_for",
    "top_k",
    "truth_against_votes",
    "wilson",
]
