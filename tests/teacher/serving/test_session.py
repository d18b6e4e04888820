"""The key, its file, and what is said about the way to the server."""

import logging

import pytest

from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.teacher.serving.session import TeacherSession
from axolotl_augft.teacher.teacher import resolve_teacher


def opened(tmp_path, base_url="http://127.0.0.1:9/v1"):
    config = TeacherConfig(model="m", id="m", api="chat", base_url=base_url, api_key_env="THE_KEY")
    with TeacherSession(resolve_teacher(config, "", 1, []), tmp_path / "log") as session:
        return session.open().server


@pytest.fixture(autouse=True)
def no_key(monkeypatch, tmp_path):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    monkeypatch.delenv("THE_KEY", raising=False)


@pytest.mark.parametrize("key", ["sk-a\nX-Evil: 1", "sk-a\r\nb", "sk a", "schlüssel", "sk-\x00", "sk-\x7fa"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key, tmp_path, monkeypatch):
    from axolotl_augft.teacher.serving import session

    monkeypatch.setattr(session.os, "environ", {"THE_KEY": key})
    with pytest.raises(ConfigError, match="the value of THE_KEY cannot be sent as a key") as caught:
        opened(tmp_path)
    assert "sk" not in str(caught.value).replace("ask", "") and "\n" not in str(caught.value)


def test_only_the_named_variable_of_the_working_folder_is_read(tmp_path, monkeypatch):
    import os

    (tmp_path / ".env").write_text("THE_KEY=from-above\nLD_PRELOAD_X=1\n")
    with pytest.raises(ConfigError, match="THE_KEY is not set"):
        opened(tmp_path)
    (tmp_path / "deep" / ".env").write_text("OTHER_X=1\nTHE_KEY='from-here'\n")
    assert opened(tmp_path).api_key == "from-here"
    assert not {"OTHER_X", "LD_PRELOAD_X", "THE_KEY"} & os.environ.keys()
    monkeypatch.setenv("THE_KEY", "exported")
    assert opened(tmp_path).api_key == "exported"


@pytest.mark.parametrize(
    ("base_url", "warns"),
    [
        ("http://10.0.0.7:8000/v1", True),
        ("http://teacher.example/v1", True),
        ("https://teacher.example/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://127.0.0.1/v1", False),
        ("http://[::1]:1/v1", False),
    ],
)
def test_a_key_over_plain_http_to_another_machine_warns(base_url, warns, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("THE_KEY", "sk-secret")
    with caplog.at_level(logging.WARNING, "axolotl_augft"):
        opened(tmp_path, base_url)
    assert ("without encryption" in caplog.text) is warns and "sk-secret" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"X-Api-Key": "v"},
        {"headers": {"x-api-key": "v"}},
        {"accessToken": "v"},
        {"a": [{"refreshToken": "v"}]},
        {"extra": "Bearer abcdefgh"},
        {"extra": ["bearer abcdefgh"]},
        {"x": " Basic dXNlcjpwYXNz"},
        {"clientSecret": "v"},
    ],
)
def test_a_secret_in_extra_body_is_refused(body):
    with pytest.raises(ValueError, match="looks like a secret"):
        TeacherConfig(model="m", base_url="http://h/v1", extra_body=body)


@pytest.mark.parametrize(
    "body",
    [
        {"max_completion_tokens": 7},
        {"stop_token_ids": [1]},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"user": "bearer of news"},
        {"reasoning": {"effort": "low"}},
    ],
)
def test_other_fields_are_no_secrets(body):
    assert TeacherConfig(model="m", base_url="http://h/v1", extra_body=body).extra_body == body
