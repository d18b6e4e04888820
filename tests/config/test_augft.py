import pytest

from axolotl_augft.config.augft import AugftConfig
from axolotl_augft.config.augment import STRATEGIES, GlobalAugment, LocalAugment
from axolotl_augft.config.parsing import parse_augft
from axolotl_augft.config.strategy_settings import AskingSettings
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.teacher.request import Prefix
from axolotl_augft.teacher.teacher import resolve_teacher


def test_defaults_are_local_and_global_with_the_base_model():
    config = parse_augft({})
    assert config.augment == [LocalAugment(), GlobalAugment()]
    assert (config.teacher.model, config.teacher.backend, config.include_original) == (None, None, True)


def test_bare_names_stand_for_defaults():
    assert parse_augft({"augment": ["global"]}).augment == [GlobalAugment()]


def test_two_local_passes_that_differ_are_allowed():
    config = parse_augft({"augment": [{"strategy": "local", "kinds": ["reversal"]}, "local"]})
    assert [a.strategy for a in config.augment] == ["local", "local"]


@pytest.mark.parametrize(
    "block", [{}, {"augment": ["local"], "teacher": {"extra_body": {"a": {"b": 1}}}, "val_set_size": 0.1}]
)
def test_survives_dump_and_validate_again(block):
    config = parse_augft(block)
    assert parse_augft(config.model_dump(exclude_none=True)) == config
    assert AugftConfig.model_validate(config.model_dump()) == config


def test_null_in_extra_body_leaves_out_what_is_always_sent_and_nothing_else():
    body = {
        "max_tokens": None,
        "max_completion_tokens": 20,
        "temperature": None,
        "own": None,
        "deep": {"x": None, "y": 1},
    }
    config = parse_augft({"teacher": {"model": "m", "base_url": "http://h/v1", "extra_body": body}})
    assert config.teacher.extra_body == {
        "max_tokens": None,
        "max_completion_tokens": 20,
        "temperature": None,
        "deep": {"y": 1},
    }
    assert parse_augft(config.model_dump(exclude_none=True)) == config
    request = resolve_teacher(config.teacher, "", 1, []).request(Prefix("", "a"), "b", 16, ())
    assert request.settings("m") == {"model": "m", "seed": 1, "max_completion_tokens": 20, "deep": {"y": 1}}


BAD = [
    ({"augmnt": []}, "augft.augmnt: unknown key; did you mean 'augment'?"),
    ({"teacher": {"modle": "x"}}, "augft.teacher.modle: unknown key; did you mean 'model'?"),
    ({"augment": [{"strategy": "global", "pases": 2}]}, "augft.augment[0].pases: unknown key; did you mean 'passes'?"),
    ({"augment": []}, "augft: augment is empty and sentence_splitting is none"),
    ({"workers": 0}, "augft.workers: input should be 'auto', or greater than or equal to 1, got 0"),
    ({"workers": True}, "augft: workers must be a number, got true"),
    ({"teacher": {"temperature": False}}, "augft.teacher: temperature must be a number, got false"),
    (
        {"augment": [{"strategy": "study", "questions": True}]},
        "augft.augment[0]: questions must be a number, got true",
    ),
    ({"augment": ["both"]}, "augft.augment[0].strategy must be one of local, global, study, cloze, got 'both'"),
    ({"augment": [{"samples": 2}]}, "augft.augment[0].strategy must be one of local, global"),
    (
        {"augment": ["local", {"strategy": "local"}]},
        "augment[1] repeats augment[0] (strategy local with equal settings)",
    ),
    (
        {"augment": [{"strategy": "local", "samples": 0}]},
        "augft.augment[0].samples: input should be greater than or equal to 1, got 0",
    ),
    ({"teacher": {"max_token": 64}}, "augft.teacher.max_token: unknown key; did you mean 'max_tokens'?"),
    ({"teacher": {"api_key": "sk-very-secret"}}, "augft.teacher.api_key: a literal key is refused"),
    (
        {"teacher": {"api_key_env": "sk-very-secret"}},
        "augft.teacher.api_key_env: must be the NAME of an environment variable",
    ),
    (
        {"teacher": {"api_key_env": "hf_abcdefVerySecret"}},
        "augft.teacher.api_key_env: must be the NAME of an environment variable",
    ),
    ({"teacher": {"base_url": "http://me:very-secret@host/v1"}}, "augft.teacher.base_url: must not hold credentials"),
    (
        {"teacher": {"base_url": "http://host/v1?api_key=very-secret"}},
        "augft.teacher.base_url: must not hold credentials",
    ),
    ({"teacher": {"base_url": "host:8000"}}, "augft.teacher.base_url: must be an http:// or https:// address"),
    (
        {"teacher": {"base_url": "http://a/v1,http://b/v1"}},
        "augft.teacher.base_url: must be one address without spaces and commas; give several as a list",
    ),
    (
        {"teacher": {"extra_body": {"api_key": "very-secret"}}},
        "augft.teacher.extra_body: field 'api_key' looks like a secret",
    ),
    (
        {"teacher": {"extra_body": {"headers": [{"Authorization": "very-secret"}]}}},
        "field 'Authorization' looks like a secret",
    ),
    (
        {"teacher": {"serve_args": ["--api-key", "very-secret"]}},
        "augft.teacher.serve_args: an argument looks like a secret",
    ),
    (
        {"teacher": {"serve_args": ["--x=hf_VerySecret123"]}},
        "augft.teacher.serve_args: an argument looks like a secret",
    ),
    ({"teacher": {"backend": "endpoint"}}, "augft.teacher: backend endpoint needs base_url"),
    (
        {"teacher": {"backend": "transformers", "base_url": "http://h/v1"}},
        "augft.teacher: base_url is for backend endpoint",
    ),
    ({"teacher": {"max_tokens": 0}}, "augft.teacher.max_tokens: input should be greater than or equal to 1, got 0"),
    ({"max_failed_fraction": 2}, "augft.max_failed_fraction: input should be less than or equal to 1, got 2"),
    (
        {"augment": [{"strategy": "global", "keep": "conclusions", "keep_reasoning": True}]},
        "augft.augment[0]: keep_reasoning makes traces",
    ),
    (
        {"teacher": {"requests_per_minute": 0}},
        "augft.teacher.requests_per_minute: input should be greater than 0, got 0",
    ),
    (
        {"teacher": {"price": {"input": 1, "cached_input": 9, "output": 2}}},
        "augft.teacher.price: cached_input (9) must not be above input (1)",
    ),
    (
        {"teacher": {"extra_body": {"max_tokens": None}}},
        "augft.teacher.extra_body: max_tokens: null would leave answers without a limit",
    ),
    ({"teacher": {"base_url": "https://h/v1?x=y"}}, "augft.teacher.base_url: must be an address without ? and #"),
    (
        {"teacher": {"base_url": "http://h/v1", "serve_args": ["-x"]}},
        "augft.teacher: serve_args are for a managed server",
    ),
    (
        {"teacher": {"base_url": "http://h/v1", "batch": True, "requests_per_minute": 5}},
        "augft.teacher: requests_per_minute is for requests that are sent one by one, but batch is true",
    ),
    ("local", "augft must be a block of keys, got str"),
    (
        {"augment": [{"strategy": "local", "write": "question"}]},
        "augft.augment[0].write: input should be 'statements' or 'questions', or a valid list, got 'question'",
    ),
    (
        {"augment": [{"strategy": "local", "write": ["statements", "question"]}]},
        "augft.augment[0].write[1]: input should be 'statements' or 'questions', got 'question'",
    ),
    (
        {"augment": [{"strategy": "local", "kinds": ["reversal", "reversal"]}]},
        "augft.augment[0].kinds: names 'reversal' twice; remove one",
    ),
    ({"augment": ["local", 5]}, "augft.augment[1].strategy must be one of local, global, study, cloze, got 5"),
    (
        {"augment": [{"strategy": "study", "genres": ["local"], "own_genres": {"local": 5}}]},
        "augft.augment[0].own_genres.local: input should be a valid string, got 5",
    ),
    ({"mix": 0.4}, "augft.mix: must be a block of keys, got 0.4; known keys: source, augmented"),
    (
        {"mix": {"original": 0.4, "augmented": 0.6}},
        "augft.mix.original: unknown key; known keys: source, augmented (and 1 more)",
    ),
    ({"mix": {"sorce": 0.4, "augmented": 0.6}}, "augft.mix.sorce: unknown key; did you mean 'source'? (and 1 more)"),
    ({"teacher": {"price": {"inpt": 1, "output": 1}}}, "augft.teacher.price.inpt: unknown key; did you mean 'input'?"),
    ({"documents": ["notes", ""]}, "augft.documents[1]: string should have at least 1 character, got ''"),
]


@pytest.mark.parametrize(("block", "message"), BAD, ids=[m[:50] for _, m in BAD])
def test_bad_block_gives_one_line_without_secrets(block, message):
    with pytest.raises(ConfigError) as caught:
        parse_augft(block)
    text = str(caught.value)
    assert message in text
    assert "literal[" not in text and "\n" not in text
    assert "very-secret" not in text.lower() and "VerySecret" not in text


def test_every_field_has_a_description():
    for model in (AugftConfig, LocalAugment, GlobalAugment, AugftConfig.model_fields["teacher"].annotation):
        for name, field in model.model_fields.items():
            assert field.description or name == "strategy", name


def test_the_teacher_s_description_names_the_longest_answers_of_all_strategies():
    description = TeacherConfig.model_fields["max_tokens"].description or ""
    for name, settings in STRATEGIES.items():
        if issubclass(settings, AskingSettings):
            assert f"{settings.default_max_tokens} for {name}" in description


def test_numbers_as_keys_of_the_body_become_texts():
    block = {"teacher": {"extra_body": {"logit_bias": {50256: -100}}}}
    assert AugftConfig.model_validate(block).teacher.extra_body == {"logit_bias": {"50256": -100}}
    assert parse_augft(block).teacher.extra_body == {"logit_bias": {"50256": -100}}
