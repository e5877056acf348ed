"""What was measured of models as charts, drawn from `fauxto.bundles.metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fauxto import palette
from fauxto.bundles import Bundle
from fauxto.bundles.metrics import Evaluation, Measurement, Verdicts
from fauxto.error_rates import photographs, rate
from fauxto.report import Verdict
from fauxto.web.drawing import Figure, Row, Span, bars, curves, dots, falling, interval
from fauxto.web.language import _
from fauxto.web.look import LOOKS
from fauxto.web.session import POINTS

_PROTOCOLS = {"clean": "As found", "web": "768 px, q60", "hard": "512 px, q40"}
_IN_ORDER = (Verdict.AI, Verdict.INCONCLUSIVE, Verdict.REAL)


def verdicts_by_point(test: Evaluation, label: str) -> Figure:
    """Draw what the pictures of a label, "real" or "ai", are called at each operating point."""
    return _verdicts([(_(title), test.protocols[0].verdicts.get(name)) for name, title in POINTS.items()], label)


def verdicts_by_protocol(test: Evaluation, label: str, point: str) -> Figure:
    """Draw what the pictures of a label, "real" or "ai", are called under each protocol at an operating point."""
    return _verdicts([(_protocol(under.name), under.verdicts.get(point)) for under in test.protocols], label)


def ranking(test: Evaluation) -> Figure:
    """Draw AUROC and accuracy under each protocol."""
    rows = []
    for under in test.protocols:
        name, accuracy = _protocol(under.name), under.accuracy
        rows += _auroc(f"{name}: AUROC", under, "AUROC")
        words = _("{name}: accuracy {rate}", name=name, rate=_(rate(accuracy)))
        rows.append(Row(words, [Span(_("accuracy"), accuracy, accuracy)]))
    colours = {"AUROC": palette.SERIES[0], _("accuracy"): palette.SERIES[2]}
    return dots(rows, colours, _("AUROC, and accuracy at 50 %"), format=".2f")


def aurocs(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Draw the AUROC of several evaluations under each protocol."""
    rows = [
        row
        for number in range(max(len(evaluation.protocols) for evaluation in evaluations.values()))
        for name, evaluation in evaluations.items()
        for under in evaluation.protocols[number : number + 1]
        for row in _auroc(f"{_protocol(under.name)}: {name}", under, name)
    ]
    return dots(rows, dict(zip(evaluations, palette.SERIES, strict=False)), "AUROC", format=".2f")


def called_generated(groups: Iterable[Measurement], point: str, label: str) -> Figure:
    """Draw the share of a label's pictures, "real" or "ai", that is called generated, group by group, largest first."""
    rows, generated = [], LOOKS[Verdict.AI]
    for group in groups:
        verdicts, count = group.verdicts.get(point), group.real if label == "real" else group.ai
        if verdicts is None:
            continue
        share = verdicts.fpr if label == "real" else verdicts.tpr
        if share.value is not None:
            spans = [Span(generated.word, 0.0, share.value)]
            words = _("{name}: {rate} of {count:,}", name=group.name, rate=_(rate(share)), count=count)
            rows.append(Row(words, spans, interval(generated.word, share)))
    rows.sort(key=lambda row: -row.parts[0].high)
    return bars(rows, {generated.word: generated.paint}, _("called generated"), whole=label == "ai")


def robustness(accuracies: Mapping[str, float]) -> Figure:
    """Draw the accuracy under one degradation at a time."""
    rows = [
        Row(f"{name}: {_(rate(accuracy))}", [Span("accuracy", accuracy, accuracy)])
        for name, accuracy in accuracies.items()
    ]
    return dots(rows, {"accuracy": palette.SERIES[2]}, _("accuracy at 50 %"))


def shortcuts(measured: Iterable[tuple[str, float, str]]) -> Figure:
    """Draw how well facts tell the label: what facts, their AUROC, and how strong a shortcut that is."""
    rows = [
        Row(f"{_(facts)}: {_('{auroc:.3f}', auroc=auroc)}, {_(strength)}", [Span(_(strength), 0.0, auroc)])
        for facts, auroc, strength in measured
    ]
    colours = {_(strength): colour for strength, colour in palette.SHORTCUT.items()}
    return bars(rows, colours, _("AUROC (0.5 is chance)"), across=0.5, format=".1f")


def reliability(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Draw the share of generated pictures among those of a probability, against that probability."""
    points: dict[str, list[tuple[float, float]]] = {}
    words = []
    for name, evaluation in evaluations.items():
        curve = points.setdefault(name, [])
        for group in evaluation.reliability:
            if group.probability is None or group.share_ai is None:
                continue
            curve.append((group.probability, group.share_ai))
            words.append(
                _(
                    "{name}: of {count:,} pictures with a mean probability of {probability}, {rate} are generated",
                    name=name,
                    count=group.count,
                    probability=_(rate(group.probability)),
                    rate=_(rate(group.share_ai)),
                )
            )
    titles = _("probability that it was generated"), _("generated, in truth")
    return curves(points, *titles, "; ".join(words), dotted=True)


def roc(by_name: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw ROC curves on their whole range: by the evaluation's name, `fpr` [N] and `tpr` [N]."""
    points = {name: list(zip(curve["fpr"], curve["tpr"], strict=True)) for name, curve in by_name.items()}
    words = [
        _(
            "{name}: {rate} found where at most {level:.0f} % of the photographs are called generated",
            name=name,
            rate=_(rate(max(tpr for fpr, tpr in curve if fpr <= level))),
            level=100 * level,
        )
        for name, curve in points.items()
        for level in (0.01, 0.1)
    ]
    titles = _("photographs called generated (fpr)"), _("generated pictures found (tpr)")
    return curves(points, *titles, "; ".join(words))


def high_scores(bundle: Bundle, test: Evaluation, point: str) -> Figure:
    """Draw which share of the photographs has at least a probability, and from where a point calls one generated."""
    scores, shares = zip(*test.real_scores, strict=True)
    probabilities = bundle.calibration.probability(np.asarray(scores, np.float64)).tolist()
    points = list(zip(probabilities, shares, strict=True))
    words = "; ".join(
        _("{rate} have {probability} or more", rate=_(rate(share)), probability=_(rate(probability)))
        for probability, share in points
    )
    return falling(
        points,
        bundle.operating_points[point].ai_above,
        (palette.FILL[Verdict.REAL], palette.FILL[Verdict.AI]),
        (_("probability that it was generated"), _("photographs with at least that")),
        _("Of {photographs}: {shares}", photographs=_(photographs(test)), shares=words),
    )


def _verdicts(named: Iterable[tuple[str, Verdicts | None]], label: str) -> Figure:
    """Draw a bar of 100 % a row: what is called generated from the left, what is called a photograph from the right."""
    rows, (generated, left_open, photograph) = [], (LOOKS[verdict].word for verdict in _IN_ORDER)
    for name, verdicts in named:
        if verdicts is None:
            continue
        ai, real = (verdicts.fpr, verdicts.cleared) if label == "real" else (verdicts.tpr, verdicts.missed)
        if ai.value is None or real.value is None:
            continue
        left, right = ai.value, 1 - real.value
        parts = [Span(generated, 0.0, left), Span(left_open, left, right), Span(photograph, right, 1.0)]
        from_right = [Span(kind, 1 - high, 1 - low) for kind, low, high in interval(photograph, real)]
        error = _("{rate} called photographs", rate=_(rate(real)))
        if label == "real":
            error = _("{rate} called generated", rate=_(rate(ai)))
        rows.append(Row(f"{name}: {error}", parts, [*interval(generated, ai), *from_right]))
    colours = {LOOKS[verdict].word: LOOKS[verdict].paint for verdict in _IN_ORDER}
    return bars(
        rows, colours, _("share of the photographs") if label == "real" else _("share of the generated pictures")
    )


def _auroc(lead: str, measured: Measurement, kind: str) -> list[Row]:
    """Return the row of an AUROC, where there is one."""
    auroc = measured.auroc
    if auroc.value is None:
        return []
    words = _("{auroc:.3f}", auroc=auroc.value)
    if auroc.low is not None and auroc.high is not None:
        words = _("{auroc:.3f} ({low:.3f} to {high:.3f})", auroc=auroc.value, low=auroc.low, high=auroc.high)
    dot = Span(kind, auroc.value, auroc.value)
    return [Row(f"{lead} {words}", [dot], interval(kind, auroc))]


def _protocol(name: str) -> str:
    """Return a protocol's name in words for a person."""
    return _(_PROTOCOLS[name]) if name in _PROTOCOLS else name
