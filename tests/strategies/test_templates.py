import pytest

from axolotl_augft.config.augment import LocalAugment
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.sources.documents import Document
from axolotl_augft.strategies.global_ import VARIABLES as GLOBAL
from axolotl_augft.strategies.local_prompts import VARIABLES as LOCAL
from axolotl_augft.strategies.local_prompts import LocalPrompts, LocalUnit
from axolotl_augft.strategies.templates import MARK, load_prompt
from axolotl_augft.strategies.worked_examples.pool import load_pool, with_kinds
from axolotl_augft.teacher.teacher import Teacher
from axolotl_augft.text.tokens import ESTIMATE
from axolotl_augft.verifying.questions import ALONE, FOLLOWS

BLOCKS = "{% block system %}{% endblock %}{% block prefix %}P{% endblock %}"


@pytest.mark.parametrize(
    ("name", "known"), [("local", LOCAL), ("global", GLOBAL), ("verify", FOLLOWS), ("alone", ALONE)]
)
@pytest.mark.parametrize("api", ["chat", "completions"])
def test_the_packages_prompts_load(name, known, api):
    assert load_prompt(f"{name}.{api}.jinja", None, known).template.blocks.keys() == {"system", "prefix", "target"}


def test_text_of_the_data_is_never_template_code():
    template = load_prompt("local.completions.jinja", None, LOCAL)
    text = "{{ 7 * 7 }} {% raw %} <b>&amp;"
    assert text in template.render("target", opening="", sentences=[text], kinds=["reversal"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "{% block target %}{{ sentence }}{% endblock %}",
            "unknown variable 'sentence'; known: examples, exchange, kinds, opening, sentences, short, structured",
        ),
        ("{% block target %}{{ sentences", "not a valid template"),
        ("no target", "block 'target' is missing"),
    ],
)
def test_bad_prompt_gives_one_line(tmp_path, source, message):
    file = tmp_path / "mine.jinja"
    file.write_text(BLOCKS + source)
    with pytest.raises(ConfigError) as caught:
        load_prompt("local.chat.jinja", str(file), LOCAL)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_missing_prompt_file():
    with pytest.raises(ConfigError, match="cannot be read"):
        load_prompt("local.chat.jinja", "nowhere.jinja", LOCAL)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ sentences.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ sentences.append('x') }}",
        "{{ 1 // 0 }}",
    ],
)
def test_templates_run_in_a_sandbox(tmp_path, attack):
    file = tmp_path / "mine.jinja"
    file.write_text(BLOCKS + "{% block target %}" + attack + "{% endblock %}")
    template = load_prompt("local.chat.jinja", str(file), LOCAL)
    with pytest.raises(ConfigError, match="block target fails"):
        template.render("target", sentences=["A."])


TEMPLATES = [
    f"{name}.{api}" for name in ("local", "local-questions", "local-exchanges") for api in ("chat", "completions")
]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("kinds", [["reversal"], ["rephrasing", "consequence"]])
def test_the_packages_templates_show_each_example_as_alone(name, kinds):
    template = load_prompt(f"{name}.jinja", None, LOCAL)
    form = "exchanges" if "exchanges" in name else "questions" if "questions" in name else "statements"
    pool = with_kinds(load_pool(None, form), kinds)

    def parts(examples):
        marked = template.with_marks.render("prefix", examples=examples, kinds=kinds, structured=True, short=False)
        return marked.split(MARK)

    before, *several, after = parts(pool[:5])
    assert several[1::2] == [""] * 4
    assert [[before, shown, after] for shown in several[::2]] == [parts([example]) for example in pool[:5]]
    whole = template.render("prefix", examples=pool[:5], kinds=kinds, structured=True, short=False)
    assert whole == "".join([before, *several, after])


def test_examples_in_a_template_of_ones_own_may_depend_on_each_other(tmp_path):
    file = tmp_path / "mine.jinja"
    loop = "{% for example in examples %}{{ loop.index }}. {{ example.text }} {% endfor %}"
    file.write_text(BLOCKS.replace("P", loop) + "{% block target %}T{% endblock %}")
    teacher = Teacher(TeacherConfig(), "endpoint", "t", "t", "chat", 1, ESTIMATE, None, 42)
    prompts = LocalPrompts(LocalAugment(prompt=str(file), num_examples=2), teacher, "statements")
    (prompt,) = prompts.prompts([LocalUnit(Document("d", "A is B.", 0, 0), ("A is B.",))])
    assert prompt.prefix.text.startswith("1. ") and " 2. " in prompt.prefix.text
