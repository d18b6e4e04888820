"""A seed -> the semantic structure data set (arXiv 2505.00661): a hierarchy of categories in nonsense words.

`world` is named (`facts`), described (`documents`) and asked about (`questions`); `grammar` reads its sentences.
"""

from axolotl_augft.bench.datasets.dataset import BenchData, Scale
from axolotl_augft.bench.datasets.semantic.documents import semantic_documents
from axolotl_augft.bench.datasets.semantic.facts import RULES, semantic_facts
from axolotl_augft.bench.datasets.semantic.grammar import SemanticGrammar
from axolotl_augft.bench.datasets.semantic.questions import semantic_questions

__all__ = ["SemanticGrammar", "make_semantic"]

_ABOUT = (
    "A hierarchy of categories with qualities, parts, abilities and relations, modelled on real animals and objects, "
    "each noun, adjective and verb a nonsense word. Properties and relations are inherited, relations on both sides: "
    "what chases birds chases owls. Splits: a trained fact in an untrained wording (rephrasings), one trained in one "
    "direction only and asked in the other (reversals), a conclusion from two or more trained facts (syllogisms), and "
    "inherited properties of categories of which only the parent was trained (holdouts). Wrong choices are the right "
    "answers to the same question about other categories, and plainly false here: neither they nor the denials of the "
    "documents are true of a kind of the categories they name."
)


def make_semantic(scale: Scale, seed: int) -> BenchData:
    """Make the data set.

    Args:
        scale: tiny, small or paper.
        seed: Seed of names, directions, wordings and questions; the world is the same for all seeds.

    Raises:
        BenchError: The world cannot be read or named.
    """
    facts = semantic_facts(scale, seed)
    documents = semantic_documents(facts, scale, seed)
    return BenchData(
        name="semantic",
        scale=scale,
        seed=seed,
        documents=documents.texts,
        questions=semantic_questions(facts, scale, seed),
        stated=documents.stated,
        rules=RULES,
        about=_ABOUT,
        strict_words=False,
        settings={"categories": len(facts.categories), "holdouts": list(facts.holdouts)},
    )
