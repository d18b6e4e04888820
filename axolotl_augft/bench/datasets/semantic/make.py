"""The semantic structure data set (arXiv 2505.00661): a hierarchy of categories in nonsense words.

The world (`semantic_world`) gets nonsense words (`semantic_facts`), documents (`semantic_documents`) and questions
(`semantic_questions`); `SemanticGrammar` reads its sentences.
"""

from axolotl_augft.bench.datasets.dataset import BenchData, Scale
from axolotl_augft.bench.datasets.semantic.documents import semantic_documents
from axolotl_augft.bench.datasets.semantic.facts import RULES, semantic_facts
from axolotl_augft.bench.datasets.semantic.grammar import SemanticGrammar
from axolotl_augft.bench.datasets.semantic.questions import semantic_questions

__all__ = ["SemanticGrammar", "make_semantic"]

_ABOUT = (
    "A hierarchy of categories with qualities, parts, abilities and relations, modelled on real animals and objects, "
    "each noun, adjective "
    "and verb a nonsense word. Properties and relations are inherited. Splits: a trained fact in an untrained wording "
    "(rephrasings), one "
    "trained in one direction only and asked in the other (reversals), a conclusion from two or more trained facts "
    "(syllogisms), and "
    "inherited properties of categories of which only the parent was trained (holdouts). Wrong choices are true of "
    "other categories, "
    "and were chosen against the bag-of-words scorers of the checker; word statistics of another kind may do better "
    "than chance."
)


def make_semantic(scale: Scale, seed: int) -> BenchData:
    """The data set of a scale.

    Args:
        scale: tiny, small or paper.
        seed: Of names, directions, wordings and questions; the world is the same for all seeds.

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
        questions=semantic_questions(facts, documents, scale, seed),
        stated=documents.stated,
        rules=RULES,
        about=_ABOUT,
        settings={"categories": len(facts.categories), "holdouts": list(facts.holdouts)},
    )
