"""A hand-made benchmark data set, small enough to check by eye: comparisons, and kinds with their shared properties."""

import re

from axolotl_augft.bench.datasets.dataset import BenchData, Question, Stated
from axolotl_augft.bench.datasets.facts import Fact, Rule


def fact(atom: str) -> Fact:
    return Fact.of(atom.split())


class ToyGrammar:
    """Two wordings each for more(x, y, f), less(y, x, f), isa(a, b) and has(a, p); understands nothing else."""

    is_complete = True
    relations = ("have",)
    _FORMS = {
        "more": ("{0} are more {2} than {1}.", "Compared with {1}, {0} are more {2}."),
        "less": ("{0} are less {2} than {1}.", "Compared with {1}, {0} are less {2}."),
        "isa": ("All {0} are {1}.", "Every one of the {0} is one of the {1}."),
        "has": ("All {0} have {1}.", "Every one of the {0} has {1}."),
    }

    def wordings(self, fact):
        return [(t := form.format(*fact.arguments))[0].upper() + t[1:] for form in self._FORMS.get(fact.predicate, ())]

    def read(self, sentence):
        text = sentence.strip().rstrip(".").lower()
        for predicate, forms in self._FORMS.items():
            for form in forms:
                pattern = re.sub(r"\\{(\d)\\}", r"(?P<a\1>[a-z]+)", re.escape(form.lower().rstrip(".")))
                if match := re.fullmatch(pattern, text):
                    return (Fact(predicate, tuple(v for _, v in sorted(match.groupdict().items()))),)
        return ()

    def denied(self, sentence):
        """Facts denied as in "All zibs have no horns"."""
        if match := re.fullmatch(r"all (\w+) have no (\w+)\.?", sentence.strip().lower()):
            return (Fact("has", match.groups()),)
        return ()


DOCUMENTS = (
    "Glorps are more frant than zibs.",
    "All zibs are kems. The weather was mild.",
    "All kems have tails.",
    "All wubs are zibs. Wubs are more frant than kems.",
)
STATED = (
    ("more glorps zibs frant", 0),
    ("isa zibs kems", 1),
    ("has kems tails", 2),
    ("isa wubs zibs", 3),
    ("more wubs kems frant", 3),
)
RULES = (
    Rule((fact("more ?x ?y ?f"),), fact("less ?y ?x ?f")),
    Rule((fact("isa ?a ?b"), fact("isa ?b ?c")), fact("isa ?a ?c")),
    Rule((fact("isa ?a ?b"), fact("has ?b ?p")), fact("has ?a ?p")),
)
QUESTIONS = (
    Question("0", "Zibs are less frant than", ("glorps.", "kems."), 0, "reversals", fact("less zibs glorps frant")),
    Question("1", "Kems are less frant than", ("glorps.", "wubs."), 1, "reversals", fact("less kems wubs frant")),
    Question("2", "All zibs have", ("tails.", "horns."), 0, "syllogisms", fact("has zibs tails")),
    Question("3", "All wubs have", ("tails.", "horns."), 0, "holdouts", fact("has wubs tails")),
)
TOY = BenchData(
    name="toy",
    scale="tiny",
    seed=1,
    documents=DOCUMENTS,
    questions=QUESTIONS,
    stated=tuple(Stated(fact(f), (d,)) for f, d in STATED),
    rules=RULES,
    about="A toy.",
)
