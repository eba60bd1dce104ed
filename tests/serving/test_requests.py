"""What requests are answered with: the same as the model returns, or one sentence that says what is wrong."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skrec.models import DeepFMClassifier, EASERanker, ItemKNNRanker, PopularityRanker
from skrec.preprocessing import IDEncoder
from skrec.serving import Limits, create_app
from skrec.serving._served import Served


def test_recommendations_are_those_of_the_model(serve, ease):
    expected = ease.recommend([0, 3], k=2)
    found = serve(ease).results("/recommend", {"users": [0, 3], "k": 2})
    assert [each["user"] for each in found] == [0, 3]
    rows = [(each["user"], one["item"], one["score"], one["rank"]) for each in found for one in each["items"]]
    assert rows == list(expected.itertuples(index=False, name=None))


def test_options_are_passed_to_the_model(serve, ease):
    client = serve(ease)

    def items(**body):
        return [one["item"] for one in client.results("/recommend", {"users": [0], **body})[0]["items"]]

    assert items(k=1) == ["a"]  # the item of the group that user 0 lacks
    assert set(items(candidates=["b", "x", "y"])) == {"x", "y"}
    assert items(candidates=["b", "x", "y"], exclude_seen=False)[0] == "b"
    assert "a" not in items(exclude=[[0, "a"], [5, "x"]])


def test_histories_of_sessions(serve, ease):
    client = serve(ease)
    found = client.results("/recommend", {"history": [["a", "b"], ["w"]], "k": 1})
    assert [each["user"] for each in found] == [None, None]
    assert found[0]["items"][0]["item"] in {"c", "d"}
    assert found[1]["items"][0]["item"] in {"x", "y", "z"}
    named = client.results("/recommend", {"users": [99], "history": [["a", "b", "c"]], "k": 1})
    assert (named[0]["user"], named[0]["items"][0]["item"]) == (99, "d")
    assert "2 users but 1 histories" in client.refusal("/recommend", {"users": [1, 2], "history": [["a"]]})
    assert "reads no histories" in serve(PopularityRanker().fit([[1, 2], [1, 3]])).refusal(
        "/recommend", {"history": [[2]]}
    )


def test_similar_and_explain(serve, ease):
    client = serve(ease)
    similar = client.results("/similar", {"items": ["b", "x", "b"], "k": 2})
    assert [each["item"] for each in similar] == ["b", "x", "b"]
    assert similar[0] == similar[2]
    assert {each["item"] for each in similar[0]["similar"]} <= set("acd")
    explained = client.results("/explain", {"users": [0], "items": ["a"]})
    expected = ease.explain([0], ["a"])
    assert [each["item"] for each in explained[0]["past"]] == expected["past_item"].tolist()
    assert [each["contribution"] for each in explained[0]["past"]] == pytest.approx(expected["contribution"].tolist())
    by_history = client.results("/explain", {"history": [["b"]], "items": ["a"]})
    assert [each["item"] for each in by_history[0]["past"]] == ["b"]


def test_reasons_name_past_items(serve, ease, log):
    def reasons(model, **body):
        found = serve(model).results("/recommend", {"k": 1, "why": True, **body})
        return found[0]["items"][0]["why"]

    reason = reasons(ease, users=[0])
    assert reason["kind"] == "history"
    assert {each["item"] for each in reason["items"]} <= set("bcd")
    assert reasons(PopularityRanker().fit(log), users=[0]) == {"kind": "popular", "items": []}
    assert reasons(ease, users=[99])["kind"] == "popular"
    assert reasons(ease, history=[["b"]]) == {"kind": "history", "items": [{"item": "b"}]}


def test_similar_items_are_the_reason_where_the_model_does_not_explain(serve, log):
    class Mute(ItemKNNRanker):
        explain = property(lambda self: (_ for _ in ()).throw(AttributeError("Mute has no explain.")))

    client = serve(Mute().fit(log))
    reason = client.results("/recommend", {"users": [0], "k": 1, "why": True})[0]["items"][0]["why"]
    assert reason["kind"] == "similar"
    assert {each["item"] for each in reason["items"]} <= set("bcd")
    assert client.refusal("/explain", {"users": [0], "items": ["a"]}, 404) == "Mute has no explain."


def test_what_a_model_does_not_have_is_said_in_its_words(serve, log):
    client = serve(PopularityRanker().fit(log))
    assert "similar items. Use a model that does" in client.refusal("/similar", {"items": ["a"]}, 404)
    assert "no explain" in client.refusal("/explain", {"users": [0], "items": ["a"]}, 404)
    assert client.get("/about").json()["models"]["main"]["offers"] == ["recommend", "predict"]


def test_titles(serve, ease):
    client = serve(ease, titles={"a": "Alien", "b": "Brazil"})
    found = client.results("/recommend", {"users": [0], "k": 1})
    assert found[0]["items"][0]["title"] == "Alien"
    history = client.get("/history", params={"user": "0"}).json()
    assert {"item": "b", "title": "Brazil"} in history["items"]
    assert {"item": "c"} in history["items"]


def test_predictions_of_a_classifier(serve):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"age": rng.normal(size=60), "city": rng.choice(["Ulm", "Bonn"], 60), "tags": [["x"], ["y", "x"]] * 30}
    )
    model = DeepFMClassifier(epochs=1, random_state=0).fit(X, X["age"] > 0)
    client = serve(model)
    rows = [{"age": 1.5, "city": "Ulm", "tags": ["x"]}, {"age": None, "city": "new", "tags": []}]
    answer = client.post("/predict", {"rows": rows}).json()
    frame = pd.DataFrame(rows)
    assert answer["predictions"] == model.predict(frame).tolist()
    assert answer["classes"] == [False, True]
    np.testing.assert_allclose(answer["probabilities"], model.predict_proba(frame), rtol=1e-5)
    assert "does not recommend" in client.refusal("/recommend", {"users": [1]}, 404)
    for row, message in [
        ({"age": "old", "city": "Ulm", "tags": ["x"]}, "rows[0].age"),
        ({"Age": 1.0, "city": "Ulm", "tags": ["x"]}, "unknown column 'Age'. Did you mean 'age'?"),
        ({"age": 1.0, "tags": ["x"]}, "rows[0].city is missing."),
    ]:
        assert message in client.refusal("/predict", {"rows": [row]})
    properties = client.get("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert [each["type"] for each in properties["age"]["anyOf"]] == ["number", "boolean", "null"]


def test_a_pipeline_is_served_with_raw_ids(serve):
    X = pd.DataFrame({"user_id": ["ann", "ann", "bo", "bo", "cy"], "item_id": ["x", "y", "x", "y", "x"]})
    pipeline = make_pipeline(IDEncoder(), EASERanker(l2=1.0)).fit(X)
    client = serve(pipeline)
    found = client.results("/recommend", {"users": ["cy"]})
    assert [one["item"] for one in found[0]["items"]] == ["y"]
    assert client.post("/events", {"events": [{"user_id": "cy", "item_id": "y"}]}).json() == {"stored": 1}
    assert client.results("/recommend", {"users": ["cy"]})[0]["items"] == []
    assert client.get("/history", params={"user": "cy"}).json()["items"] == [{"item": "y"}, {"item": "x"}]
    assert client.get("/about").json()["models"]["main"]["some_users"] == ["ann", "bo", "cy"]
    assert client.post("/events", {"events": [{"user_id": "new", "item_id": "y"}]}).json() == {"stored": 1}
    asked = ({"users": ["new"]}, {"history": [["y"]]})
    of_events, of_history = (client.results("/recommend", {**body, "exclude_seen": False}) for body in asked)
    assert of_events[0]["items"] == of_history[0]["items"]
    assert [each["item"] for each in client.results("/similar", {"items": ["x"], "k": 1})[0]["similar"]] == ["y"]
    assert "no explain" in client.refusal("/explain", {"users": ["cy"], "items": ["x"]}, 404)


def test_a_model_of_arrays_has_columns_with_default_names(serve):
    client = serve(EASERanker(l2=1.0).fit(np.array([[1, 10], [1, 20], [2, 10]])))
    assert client.results("/recommend", {"users": [2]})[0]["items"][0]["item"] == 20
    assert len(client.post("/predict", {"rows": [{"user_id": 2, "item_id": 20}]}).json()["predictions"]) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"users": ["0"]}, "users[0]: Input should be a valid integer"),
        ({"users": [True]}, "users[0]"),
        ({"users": [2**70]}, "users[0]"),
        ({"users": [0.5]}, "users[0]"),
        ({"users": 0}, "users: Input should be a valid array"),
        ({"users": [0], "k": 0}, "k: Input should be greater than or equal to 1"),
        ({"users": [0], "k": 10**6}, "k: Input should be less than or equal to 1000"),
        ({"users": [0] * 1001}, "at most 1000 items"),
        ({"users": [0], "candidates": []}, "candidates"),
        ({"users": [0], "candidates": [1]}, "candidates[0]: Input should be a valid string"),
        ({"users": [0], "exclude": [[0]]}, "exclude[0]"),
        ({"users": [0], "kk": 3}, "unknown field 'kk'"),
        ({"users": [0], "model": "other"}, "model"),
        ({"rows": [{"user": 0}]}, "rows[0] has the unknown column 'user'. Did you mean 'user_id'?"),
        ({"rows": [{}]}, "rows[0].user_id is missing."),
        ({"rows": [{"user_id": 0, "item_id": "a"}]}, "has the column 'item_id', which is not part of this request"),
        ({"users": [0, 1, 2], "k": 50, "why": True}, "why is answered for at most 100 items"),
        ({}, "Pass users, rows or history"),
        ([], "The body: Input should be"),
    ],
)
def test_wrong_requests_are_refused_with_a_sentence(serve, ease, body, message):
    client = serve(ease)
    assert message in client.refusal("/recommend", body)
    assert client.results("/recommend", {"users": [0]})


def test_the_schema_has_the_columns_and_types_of_the_model(serve, ease):
    schema = serve(ease).get("/openapi.json").json()
    parts = schema["components"]["schemas"]
    assert parts["Event"]["properties"]["user_id"]["type"] == "integer"
    assert parts["Event"]["properties"]["item_id"]["type"] == "string"
    assert parts["Event"]["required"] == ["user_id", "item_id"]
    reference = schema["paths"]["/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/Events"
    assert parts["Recommend"]["properties"]["k"]["maximum"] == 1000


def test_limits_can_be_set(serve, ease):
    client = serve(ease, limits=Limits(k=2, queries=1))
    assert "less than or equal to 2" in client.refusal("/recommend", {"users": [0], "k": 3})
    assert "at most 1 item" in client.refusal("/recommend", {"users": [0, 1]})
    with pytest.raises(ValueError, match="k=0 must be an integer of at least 1"):
        Limits(k=0)


def test_two_models_side_by_side(serve, ease, log):
    client = serve(ease, compare=PopularityRanker().fit(log[["user_id", "item_id"]]))
    first = client.results("/recommend", {"users": [0], "k": 3})
    second = client.results("/recommend", {"users": [0], "k": 3, "model": "compare"})
    assert first != second
    assert {name: each["class"] for name, each in client.get("/about").json()["models"].items()} == {
        "main": "EASERanker",
        "compare": "PopularityRanker",
    }


def test_history_reads_the_type_of_the_id(serve, ease):
    client = serve(ease)
    answer = client.get("/history", params={"user": "0"}).json()
    assert {each["item"] for each in answer["items"]} == set("bcd")
    assert (answer["user"], answer["count"], answer["ordered"]) == (0, 3, False)
    answer = client.get("/history", params={"user": "zero"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "'zero' is not a user: the ids of users are integers.",
    )
    assert client.get("/history").status_code == 422
    assert client.get("/history", params={"user": "0", "model": "x"}).status_code == 422


def test_a_failure_of_the_model_is_logged_and_not_shown(serve, ease, caplog):
    client = serve(ease)

    def fail(*_, **__):
        raise RuntimeError("secret")

    client.service.models["main"].served.recommend = fail
    assert client.refusal("/recommend", {"users": [0]}, 500) == "The service failed to answer; its log says why."
    assert "secret" in caplog.text
    assert client.get("/health").status_code == 200


def test_without_the_extra_the_error_names_it(ease, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(ImportError, match=r"pip install 'skrec-deep\[serve\]'"):
        create_app(ease)


def test_nothing_heavy_is_imported_by_the_service():
    code = """
import sys, json
import skrec.serving
print(json.dumps([m for m in ("fastapi", "pandas", "sqlalchemy") if m in sys.modules]))
import skrec.serving._app, skrec.serving._endpoints, skrec.serving._service, skrec.serving._openapi, skrec.serving._gate
print(json.dumps([m for m in ("tensorflow", "keras", "sklearn") if m in sys.modules]))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [json.loads(line) for line in printed.split("\n")[:2]] == [[], []]


def test_served_has_no_use_for_http(ease):
    assert Served(ease).recommend([0], k=1)[0]["items"][0]["item"] == "a"
