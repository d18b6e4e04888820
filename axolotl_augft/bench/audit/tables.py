"""An audit -> Markdown tables."""

from axolotl_augft.bench.audit.audit import GRAMMAR, Audit, VerdictCounts, share


def audit_lines(audit: Audit) -> list[str]:
    """Format the audit as Markdown tables: precision, verdicts by rejection reason, and coverage."""
    return [
        f"Teacher {audit.teacher}, data set {audit.data}, read by the {_reader(audit)}.",
        audit.reading.line if audit.reading else "Reading accuracy: not measured for statements of this kind.",
        "",
        "| accepted | statements | right | wrong | unread | precision |",
        "|---|---|---|---|---|---|",
        *(_row(f"{s} {k}", audit.accepted(s, k)) for s, k in _kinds(audit)),
        _row("all", audit.accepted()),
        "",
        "| sentences of accepted ones | sentences | right | wrong | unread | share right |",
        "|---|---|---|---|---|---|",
        *(_row(f"{s} {k}", audit.accepted_sentences(s, k)) for s, k in _kinds(audit)),
        _row("all", audit.accepted_sentences()),
        "",
        f"Novel (right, and states what no document states): "
        f"{_shown(share(audit.novel, audit.accepted().right))} of the right ones.",
        "",
        "| rejected for | statements | right | wrong | unread | share right |",
        "|---|---|---|---|---|---|",
        *(
            _row(reason, audit.rejected(reason))
            for reason in sorted({t.reason for t in audit.tallies if t.reason is not None})
        ),
        *(f"| {reason} (no statement) | {n:,} | | | | |" for reason, n in sorted(audit.empty.items())),
        "",
        "| coverage of test facts | split | facts | stated | share |",
        "|---|---|---|---|---|",
        *(
            f"| {c.strategy} | {c.split} | {c.facts:,} | {c.stated:,} | {_shown(share(c.stated, c.facts))} |"
            for c in audit.coverages
        ),
    ]


def _kinds(audit: Audit) -> list[tuple[str, str]]:
    return sorted({(t.strategy, t.kind) for t in audit.tallies if t.reason is None})


def _reader(audit: Audit) -> str:
    return "grammar alone" if audit.reader == GRAMMAR else f"grammar, and by the model {audit.reader} beyond it"


def _row(name: str, tally: VerdictCounts) -> str:
    right = _shown(share(tally.right, tally.whole))
    return f"| {name} | {tally.whole:,} | {tally.right:,} | {tally.wrong:,} | {tally.unread:,} | {right} |"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
