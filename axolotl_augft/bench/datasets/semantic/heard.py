"""Wordings and openings that a teacher may use, beside those of the documents and questions (`wording`)."""

from collections.abc import Mapping, Sequence

HEARD: Mapping[str, Sequence[str]] = {
    "is": ("{xs} can be {w}", "{xs} tend to be {w}", "{xs} are described as {w}", "being {ax} means being {w}"),
    "has": ("{xs} possess {ws}", "{xs} are equipped with {ws}", "{xs} have {ws} as parts"),
    "can": ("{xs} are known to {w}", "{xs} {w}", "{xs} are capable to {w}"),
    "is_a": (
        *("{xs} are one kind of {y}", "{xs} are members of {ys}", "{xs} are examples of {ys}", "{xs} fall under {ys}"),
        *(
            "{xs} are part of {ys}",
            "{xs} belong to the group of {ys}",
            "{xs} are among the {ys}",
            "{xs} are known to be {ys}",
        ),
        *("if something is {ax}, it is {ay}", "{xs} are included in {ys}"),
    ),
    "includes": (
        *(
            "kinds of {x} are {ys}",
            "one of the kinds of {x} is {ys}",
            "among the {xs} one finds {ys}",
            "examples of {xs} include {ys}",
        ),
        *(
            "{xs} comprise {ys}",
            "members of {xs} include {ys}",
            "one example of {x} is {ys}",
            "among the {xs} is the {y}",
        ),
    ),
    "does": ("what {xs} {v} is {ys}", "{xs} like to {v} {ys}", "{xs} can {v} {ys}"),
    "done_by": ("{xs} can be {ved} by {ys}", "the ones that {v} {xs} are {ys}", "{xs} are known to be {ved} by {ys}"),
}
"""Wordings that are understood although no document or question uses them."""

HEARD_OPENINGS = (
    *(
        "did you know that",
        "it is true that",
        "it follows that",
        "this means that",
        "we know that",
        "we can conclude that",
    ),
    *(
        "it is clear that",
        "it is a fact that",
        "it is said that",
        "experts say that",
        "one can say that",
        "we can say that",
    ),
    *(
        "as is well known",
        "therefore",
        "thus",
        "hence",
        "so",
        "consequently",
        "in general",
        "generally",
        "in other words",
        "that is",
    ),
    *("also", "moreover", "furthermore", "indeed"),
)
"""Openings that are understood, beside those of the documents."""
