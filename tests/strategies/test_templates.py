import pytest

from axolotl_augft.errors import ConfigError
from axolotl_augft.strategies.global_ import VARIABLES as GLOBAL
from axolotl_augft.strategies.local_prompts import VARIABLES as LOCAL
from axolotl_augft.strategies.templates import load_prompt
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
