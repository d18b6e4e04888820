"""A model's configuration -> how it says that a statement follows, decided by what it declares and never by a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from axolotl_augft.teacher.entailment.settings import EntailmentModel

FOLLOWS = (
    *("entailment", "entailed", "entails", "supported", "supports", "support"),
    *("consistent", "factual", "grounded", "true", "yes"),
)
"""Names of a label, in any case, that mean that the statement follows."""

_ENTAILMENT_LABEL = "augft.verify.entailment_label (--label)"
_T5_TYPES = ("t5", "mt5", "umt5")
_MINICHECK_T5 = "predict: {premise}{eos}{statement}"
_MINICHECK = "{premise}{eos}{statement}"
_FACTCG = (
    "{premise}\n\nChoose your answer: based on the paragraph above can we conclude that "
    '"{statement}"?\n\nOPTIONS:\n- Yes\n- No\nI think the answer is '
)


class Unusable(Exception):
    """A model cannot be used as an entailment model; the text is one line that says why and what to do."""


class Kind(Enum):
    """How a model answers."""

    CLASSIFIER = auto()
    """By a label: any model of transformers for sequence classification."""
    T5 = auto()
    """By its first token, 1 or 0, as MiniCheck-Flan-T5 does."""


@dataclass(frozen=True)
class Habit:
    """How a public model wants to be used, as its authors' code does.

    Attributes:
        template: As `EntailmentModel.template`.
        label: As `EntailmentModel.label`.
        max_length: As `EntailmentModel.max_length`; about the tokens of the passages that the authors cut texts into.
    """

    template: str | None = None
    label: str | None = None
    max_length: int | None = None


KNOWN = {
    "yaxili96/FactCG-DeBERTa-v3-Large": Habit(_FACTCG, "1", 768),
    "lytang/MiniCheck-DeBERTa-v3-Large": Habit(_MINICHECK, "1", 512),
    "lytang/MiniCheck-RoBERTa-Large": Habit(_MINICHECK, "1", 512),
    "lytang/MiniCheck-Flan-T5-Large": Habit(_MINICHECK_T5, None, 768),
}
"""Models whose configuration does not say how they are used, by their name on the hub."""


def kind_of(model: str, architectures: Sequence[str], model_type: str) -> Kind:
    """Tell how a model answers.

    Args:
        model: The model's name, for the error.
        architectures: The classes that its configuration names.
        model_type: The type that its configuration names.

    Raises:
        Unusable: It answers in another way.
    """
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return Kind.CLASSIFIER
    if model_type in _T5_TYPES and any(name.endswith("ForConditionalGeneration") for name in architectures):
        return Kind.T5
    what = ", ".join(architectures) or f"a {model_type} without a named architecture"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in architectures):
        raise Unusable(
            f"{model!r} is a language model ({what}), not an entailment model; use augft.verify.method logprobs with it"
        )
    raise Unusable(
        f"{model!r} ({what}) is neither a sequence classifier nor a T5 model like MiniCheck-Flan-T5; name an "
        "entailment model in augft.verify.by"
    )


def with_habit(wanted: EntailmentModel, kind: Kind) -> EntailmentModel:
    """Fill in how a public model, or any T5 model, wants to be used; what the user has set stays.

    Raises:
        Unusable: The template lacks the premise or the statement.
    """
    habit = KNOWN.get(wanted.model, Habit(_MINICHECK_T5) if kind is Kind.T5 else Habit())
    template = habit.template if wanted.template is None else wanted.template
    if template is not None and not all(name in template for name in ("{premise}", "{statement}")):
        raise Unusable(
            "augft.verify.entailment_template (--template) must hold {premise} and {statement}, where the two texts "
            "are to stand"
        )
    return EntailmentModel(
        wanted.model,
        habit.label if wanted.label is None else wanted.label,
        template,
        habit.max_length if wanted.max_length is None else wanted.max_length,
        wanted.device,
    )


def entailment_label(model: str, labels: Sequence[str], wanted: str | None) -> int:
    """Find the label that means that the statement follows.

    Args:
        model: The model's name, for the error.
        labels: The model's labels, in order.
        wanted: The label's name (in any case) or number, None to look for one of `FOLLOWS`.

    Raises:
        Unusable: There is no such label, there are several, or it is the only one.
    """
    names = [label.casefold() for label in labels]
    listed = ", ".join(f"{i} {label!r}" for i, label in enumerate(labels))
    if len(labels) < 2:
        raise Unusable(f"{model!r} has one label only ({listed}), but an entailment model has two or more")
    if wanted is not None:
        if wanted.casefold() in names:
            return names.index(wanted.casefold())
        if wanted.isdecimal() and int(wanted) < len(labels):
            return int(wanted)
        raise Unusable(f"{_ENTAILMENT_LABEL} is {wanted!r}, but the labels of {model!r} are {listed}")
    found = [i for i, name in enumerate(names) if name in FOLLOWS]
    if len(found) == 1:
        return found[0]
    why = "several of them say" if found else "none of them says"
    raise Unusable(
        f"the labels of {model!r} are {listed}, and {why} that a statement follows; name that label, or its number, "
        f"in {_ENTAILMENT_LABEL}"
    )
