"""The model server: what it answers, what it refuses, and that it runs as a process of its own."""

import http.client
import json
import socket
import subprocess
import sys

import pandas as pd
import pytest
import skops.io
from releases import call
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from guiderail.core.errors import InputError
from guiderail.sandbox.load import ModelRefusedError
from guiderail.sandbox.predict import Predictor, UnknownScoreError
from guiderail.sandbox.serve import LARGEST_BODY, application, read_inputs

ROW = {"income": 2.0, "debt": 0.5}
TABLE = pd.DataFrame({"income": [0.0, 1.0, 2.0, 3.0], "debt": [1.0, 1.0, 0.0, 0.5]})


def predictor(path, threshold=0.5, positive="good"):
    return Predictor.load(path, threshold=threshold, positive=positive)


def dumped(tmp_path, model):
    path = tmp_path / "model.skops"
    skops.io.dump(model, path)
    return path


def test_the_score_is_that_of_the_model_and_the_threshold_decides(versions):
    model = skops.io.load(versions.skops.model)
    share = model.predict_proba(pd.DataFrame([ROW]))[0]
    (answer,) = predictor(versions.skops.model).answer([ROW])
    assert answer.score == pytest.approx(share[list(model.classes_).index("good")], abs=1e-12)
    assert answer.decision == "good"
    (strict,) = predictor(versions.skops.model, threshold=1.0).answer([ROW])
    assert strict.decision == "bad"


def test_a_score_of_exactly_the_threshold_is_positive(versions):
    (answer,) = predictor(versions.skops.model).answer([ROW])
    (again,) = predictor(versions.skops.model, threshold=answer.score).answer([ROW])
    assert again.decision == "good"


def test_the_positive_class_may_be_the_first_one(versions):
    (good,) = predictor(versions.skops.model, positive="good").answer([ROW])
    (bad,) = predictor(versions.skops.model, positive="bad").answer([ROW])
    assert good.score + bad.score == pytest.approx(1)
    assert good.decision == bad.decision == "good"


def test_more_than_two_classes_give_the_decided_class_and_its_score(tmp_path):
    path = dumped(tmp_path, DecisionTreeClassifier().fit(TABLE, ["a", "b", "c", "c"]))
    (answer,) = predictor(path, threshold=None, positive=None).answer([ROW | {"debt": 0.0}])
    assert (answer.decision, answer.score) == ("c", 1.0)


def test_a_margin_is_turned_to_the_positive_class(tmp_path):
    path = dumped(tmp_path, LinearSVC().fit(TABLE, ["bad", "bad", "good", "good"]))
    (good,) = predictor(path, threshold=0.0, positive="good").answer([ROW])
    (bad,) = predictor(path, threshold=0.0, positive="bad").answer([ROW])
    assert good.score == -bad.score > 0
    assert good.decision == bad.decision == "good"


def test_a_regression_gives_its_number_and_decides_only_with_a_threshold(tmp_path):
    path = dumped(tmp_path, LinearRegression().fit(TABLE, [0.0, 1.0, 2.0, 3.0]))
    (plain,) = predictor(path, threshold=None, positive=None).answer([ROW])
    assert plain.decision is None
    (decided,) = predictor(path, threshold=100.0, positive=None).answer([ROW])
    assert (decided.score, decided.decision) == (plain.score, "negative")


def test_a_score_that_is_no_number_is_no_decision(versions):
    with pytest.raises((UnknownScoreError, ValueError)):
        predictor(versions.broken.model).answer([ROW])


def test_an_unsafe_file_is_refused(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    with pytest.raises(ModelRefusedError):
        predictor(path)
    assert not (tmp_path / "executed").exists()


def test_a_threshold_must_be_finite(versions):
    with pytest.raises(InputError):
        predictor(versions.skops.model, threshold=float("nan"))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"{}", "of the form"),
        (b"[]", "between 1 and"),
        (b"3", "of the form"),
        (b'{"inputs": [1]}', "of the form"),
        (b'{"inputs": {"income": NaN}}', "not JSON"),
        (b'{"inputs": {"income": Infinity}}', "not JSON"),
        (b'{"inputs": {"income": {"a": 1}}}', "of income is not a number"),
        (b" " * (LARGEST_BODY + 1), "larger than"),
    ],
)
def test_a_malformed_request_is_told_what_is_wrong(versions, body, why):
    app = application(predictor(versions.skops.model))
    reply = call(app, "POST", "/predict", body)
    assert reply.status == 400
    assert why in reply.body["what"]
    with pytest.raises(ValueError, match=why):
        read_inputs(body)


def test_one_row_and_a_list_of_rows(versions):
    served = predictor(versions.skops.model)
    app = application(served)
    one = call(app, "POST", "/predict", json.dumps({"inputs": ROW}).encode()).body
    many = call(
        app, "POST", "/predict", json.dumps([{"inputs": ROW}, {"inputs": ROW}]).encode()
    ).body
    assert one["model"] == many["model"] == served.digest
    assert many["predictions"] == [{"score": one["score"], "decision": one["decision"]}] * 2
    assert call(app, "GET", "/healthz").body == {"ready": True, "model": served.digest}


def test_extra_inputs_are_ignored_and_missing_ones_named(versions):
    app = application(predictor(versions.skops.model))
    assert (
        call(app, "POST", "/predict", json.dumps({"inputs": {**ROW, "id": "x"}}).encode()).status
        == 200
    )
    reply = call(app, "POST", "/predict", json.dumps({"inputs": {"income": 1}}).encode())
    assert reply.status == 422
    assert "'debt' is missing" in reply.body["what"]


@pytest.mark.parametrize("value", ["much", None])
def test_a_value_that_the_model_does_not_know_is_a_422(versions, value):
    app = application(predictor(versions.skops.model))
    reply = call(app, "POST", "/predict", json.dumps({"inputs": {**ROW, "debt": value}}).encode())
    assert reply.status == 422
    assert reply.body["code"] == "serve/unusable-inputs"


def test_a_model_without_a_finite_score_is_a_500(versions):
    app = application(predictor(versions.broken.model))
    reply = call(app, "POST", "/predict", json.dumps({"inputs": ROW}).encode())
    assert reply.status == 500
    assert reply.body["code"] == "serve/model-failed"


def test_it_answers_on_the_socket_it_inherits_and_ends_with_its_starter(versions):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, "-m", "guiderail.sandbox.serve", "--end-with-stdin"]
        command += ["--model", str(versions.skops.model), "--socket", str(listening.fileno())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(listening.fileno(),))
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/predict", json.dumps({"inputs": ROW}))
        reply = connection.getresponse()
        assert reply.status == 200
        assert json.loads(reply.read())["decision"] == "good"
        connection.close()
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
