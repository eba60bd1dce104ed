"""Write what ``tests/test_saved_before.py`` loads.

Call it as ``PYTHONPATH=. python tests/saved/write.py tests/saved/VERSION.zip``.

``0.1.0.zip`` was written by an earlier state of the library, and every later state must load it: never write it again.
When what is stored changes, write another archive beside it; the test reads all of them.

An archive holds a file of ``skrec.save`` for each estimator, and ``calls.json`` with some calls and their results.
The tables that the calls need are in it too, so that the test shares no code with this script.
"""

import json
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

import skrec
from skrec.models import (
    AutoIntRegressor,
    DCNRanker,
    DeepFMClassifier,
    DINClassifier,
    DINRanker,
    DNNRegressor,
    FMRanker,
    FMRegressor,
    GRU4RecRanker,
    NCFClassifier,
    NCFRanker,
    NCFRegressor,
    NFMClassifier,
    PopularityRanker,
    SASRecRanker,
    WideDeepClassifier,
    WideDeepRanker,
)
from skrec.preprocessing import FeatureCrosses, HistoryEncoder, IDEncoder, MultiHotEncoder

USERS = ["ann", "bob", "cy", "dee", "eve", "fay"]
GENRES = ["Comedy|Drama", "Drama", "Action", "", "Action|Comedy", "Crime", "Drama|Crime", "Comedy"]
N = 48


def frame() -> pd.DataFrame:
    """Make events with a column of every kind; no generator of random numbers is asked."""
    row = np.arange(N)
    user, item = row % 6, (row * 5 + row // 6) % 8
    age = 20.0 + user * 7
    age[user == 2] = np.nan
    X = pd.DataFrame(
        {
            "user_id": np.array(USERS, dtype=object)[user],
            "item_id": item * 10 + 3,
            "timestamp": 1_600_000_000 + row * 3600,
            "age": age,
            "device": np.where(row % 3 == 0, "phone", "desk"),
            "genres": np.array(GENRES, dtype=object)[item],
            "price": item * 1.5 + 1,
        }
    )
    X["vector"] = [[i / 8, 1 - i / 8, 0.5 * (i % 2) + 0.1] for i in item.tolist()]
    return X


X = frame()
ROW = np.arange(N)
LABEL = ((ROW % 6 + X["item_id"].to_numpy() // 10) % 2).astype(int)
THREE = np.array(["bad", "fair", "good"], dtype=object)[(ROW + X["item_id"].to_numpy()) % 3]
RATING = 1.0 + (ROW * 7 % 9) / 2
IDS = ["user_id", "item_id"]
EVENTS = [*IDS, "timestamp"]
NEW = X.iloc[[3, 20, 31, 47]].assign(user_id=["ann", "new", "cy", "fay"], timestamp=1_700_000_000)
QUERIES = ["bob", "fay", "nobody"]
SMALL = {"random_state": 0, "epochs": 2, "embedding_dim": 4}
DEEP = {**SMALL, "hidden_units": (4,)}
SIDES = {"user": "user_id", "item": "item_id"}


def table(X):
    """Describe a table of rows."""
    return {
        "table": {name: X[name].tolist() for name in X},
        "dtypes": {name: str(X[name].dtype) for name in X},
    }


def plain(value):
    """Return a result in what JSON holds."""
    if isinstance(value, pd.DataFrame):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, pd.Series | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return repr(value)
    return value.item() if isinstance(value, np.generic) else value


def call(method, *arguments, **options):
    """Describe a call; with "skrec.recommend" it is that of the function."""
    return method, arguments, options


RANK = call("recommend", QUERIES, k=3)
ITEMS = call("score_items", QUERIES)
RANKER = [call("predict", NEW[EVENTS]), RANK, ITEMS, call("similar_items", [13], k=2)]


def with_lists(*columns):
    return NEW[[*EVENTS, *columns]]


def estimators():
    """Yield names, fitted estimators, and calls."""
    wide = {**DEEP, "n_cross_bins": 16, "n_bins": 4, **SIDES}
    context = [*EVENTS, "age", "device", "genres", "price"]
    everything = [*context, "vector"]
    asked = X[[*EVENTS, "age", "device"]].iloc[[1, 8]].assign(timestamp=1_700_000_000)
    label, both = pd.Series(LABEL), ["predict", "predict_proba"]

    popularity = PopularityRanker().fit(X[EVENTS], LABEL)
    yield "popularity", popularity, [call("predict", NEW[EVENTS]), RANK, call("seen_items", ["ann"])]
    yield "popularity_part", PopularityRanker().fit(X[IDS][:20]).partial_fit(X[IDS][20:]), [RANK, ITEMS]
    yield "not_fitted", NCFRanker(hidden_units=(8, 4), l2=0.1), [call("get_params")]

    for architecture in ("mf", "gmf", "mlp", "neumf"):
        options = SMALL if architecture in {"mf", "gmf"} else DEEP
        yield f"ncf_{architecture}", NCFRanker(architecture=architecture, **options).fit(X[EVENTS]), RANKER
    labels = NCFClassifier(**DEEP).fit(X[IDS], THREE)
    yield "ncf_classifier_three", labels, [*(call(one, NEW[IDS]) for one in both), call("decision_function", NEW[IDS])]
    labels = NCFClassifier(**DEEP, class_weight="balanced").fit(X[IDS], LABEL)
    yield "ncf_classifier", labels, [*(call(one, NEW[IDS]) for one in both), RANK]
    yield "ncf_regressor", NCFRegressor(**DEEP).fit(X[EVENTS], RATING), [call("predict", NEW[EVENTS]), RANK]

    options = {**SMALL, "ema_momentum": 0.5, "warm_start": True, "learning_rate": 0.05}
    resume = NCFRanker(architecture="mf", **options).fit(X[EVENTS]).fit(X[EVENTS])
    yield "ncf_warm_ema", resume, [*RANKER, call("user_embeddings_")]
    stopped = NCFRanker(architecture="mf", **SMALL, early_stopping=True, validation_fraction=0.5)
    yield "ncf_early_stopping", stopped.fit(X[EVENTS]), [RANK, call("validation_scores_"), call("loss_curve_")]

    crossed = WideDeepClassifier(**wide, crosses=[("user_id", "device")], multivalued_features=["genres"])
    rows = NEW[everything]
    yield "wide_deep_classifier", crossed.fit(X[everything], LABEL), [*(call(one, rows) for one in both)]
    ranker = WideDeepRanker(**{**DEEP, "n_cross_bins": 16, "n_bins": 4}, crosses=[("item_id", "device")])
    rows = NEW[context]
    yield (
        "wide_deep_ranker",
        ranker.fit(X[context], label),
        [call("predict", rows), RANK, call("recommend", asked, k=3)],
    )
    yield (
        "fm_regressor",
        FMRegressor(**SMALL, n_bins=4).fit(X[["age", "device"]], RATING),
        [call("predict", NEW[["age", "device"]])],
    )
    of_items = FMRanker(**SMALL, n_bins=4, item_features=["price", "genres"])
    columns = [*EVENTS, "device", "price", "genres"]
    candidates = X[["item_id", "price", "genres"]].drop_duplicates("item_id")[:3].assign(item_id=[13, 900, 53])
    yield (
        "fm_ranker",
        of_items.fit(X[columns]),
        [
            call("predict", NEW[columns]),
            RANK,
            call("recommend", ["bob"], k=3, candidates=candidates),
        ],
    )
    columns = [*IDS, "vector", "device"]
    yield "dcn_ranker", DCNRanker(**DEEP).fit(X[columns]), [call("predict", NEW[columns]), RANK]
    columns = ["age", "device", "price"]
    yield (
        "deep_fm_classifier",
        DeepFMClassifier(**DEEP, n_bins=4).fit(X[columns], THREE),
        [call(one, NEW[columns]) for one in both],
    )
    columns = [*IDS, "device", "genres"]
    autoint = AutoIntRegressor(**SMALL, hidden_units=(), **SIDES, multivalued_features=["genres"])
    yield "autoint_regressor", autoint.fit(X[columns], RATING), [call("predict", NEW[columns]), RANK]
    nfm = NFMClassifier(**DEEP, numeric_embedding="linear", pooling="sum")
    columns = ["age", "genres", "price"]
    yield "nfm_classifier", nfm.fit(X[columns], LABEL), [call(one, NEW[columns]) for one in both]
    array = X[["price", "item_id"]].to_numpy(float)
    dnn = DNNRegressor(**DEEP, n_bins=4, categorical_features=[1]).fit(array, RATING)
    yield "dnn_regressor_array", dnn, [call("predict", array[:5].tolist())]

    din = {**DEEP, "attention_units": 4, "max_history": 8}
    columns = [*EVENTS, "price"]
    yield (
        "din_ranker",
        DINRanker(**din, n_bins=4).fit(X[columns]),
        [
            call("predict", NEW[columns]),
            RANK,
            call("recommend", history=[[13, 23], [53]], k=3),
        ],
    )
    yield "din_classifier", DINClassifier(**din).fit(X[EVENTS], LABEL), [call(one, NEW[EVENTS]) for one in both]
    sequences = {**SMALL, "max_history": 8}
    given = call("recommend", history=[[13, 23], [53]], k=3)
    yield "sasrec", SASRecRanker(**sequences, n_blocks=1).fit(X[EVENTS]), [*RANKER, given]
    appended = SASRecRanker(**sequences, n_blocks=1).fit(X[IDS][:40])
    appended.append_history(X[IDS][40:])
    yield "sasrec_appended", appended, [RANK]
    yield "gru4rec", GRU4RecRanker(**sequences).fit(X[EVENTS]), [*RANKER, given]

    yield "id_encoder", IDEncoder(min_frequency=7).fit(X[IDS]), [call("transform", NEW[IDS])]
    hashed = FeatureCrosses(crosses=[("device", "genres")], encoding="hash", n_bins=32)
    for name, crosses in (("crosses", FeatureCrosses(passthrough=True)), ("crosses_hashed", hashed)):
        columns = ["device", "genres"]
        yield name, crosses.fit(X[columns]), [call("transform", NEW[columns])]
    yield "multi_hot", MultiHotEncoder(max_categories=3).fit(X[["genres"]]), [call("transform", NEW[["genres"]])]
    yield "history_encoder", HistoryEncoder(max_history=3).fit(X[EVENTS]), [call("transform", NEW[EVENTS])]

    ids = make_pipeline(
        IDEncoder(time="timestamp").set_output(transform="pandas"), NCFRanker(architecture="mf", **SMALL)
    )
    yield "pipeline_ids", ids.fit(X[EVENTS]), [call("predict", NEW[EVENTS]), call("skrec.recommend", QUERIES, k=3)]
    columns = ColumnTransformer(
        [
            ("ids", IDEncoder(), IDS),
            ("numbers", StandardScaler(), ["price"]),
            ("bins", KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), ["price"]),
            ("hot", OneHotEncoder(sparse_output=False), ["device"]),
        ],
        remainder="drop",
    ).set_output(transform="pandas")
    pipeline = Pipeline([("columns", columns), ("model", WideDeepRanker(**{**wide, "user": None, "item": None}))])
    used = [*IDS, "price", "device"]
    yield "pipeline_columns", pipeline.fit(X[used]), [call("predict", NEW[used])]


def described(arguments):
    return [table(one) if isinstance(one, pd.DataFrame) else one for one in arguments]


def result_of(estimator, method, arguments, options):
    if method == "skrec.recommend":
        return skrec.recommend(estimator, *arguments, **options)
    member = getattr(estimator, method)
    return member(*arguments, **options) if callable(member) else member


def main(archive: Path) -> None:
    """Write the archive."""
    found = {}
    with TemporaryDirectory() as folder, zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as target:
        for name, estimator, calls in estimators():
            path = Path(folder) / f"{name}.skrec"
            skrec.save(estimator, path)
            target.write(path, path.name)
            found[name] = [
                {
                    "method": method,
                    "args": described(arguments),
                    "kwargs": dict(zip(options, described(options.values()), strict=True)),
                    "result": plain(result_of(estimator, method, arguments, options)),
                }
                for method, arguments, options in calls
            ]
        content = {"calls": found, "events": table(X[EVENTS])}
        target.writestr("calls.json", json.dumps(content, indent=1, allow_nan=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
