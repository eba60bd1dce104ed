"""From a raw table to a tuned Wide & Deep model, composed of scikit-learn parts.

python examples/features.py                     generated people
python examples/features.py --data adult.data   the census income data (UCI Adult; may be gzipped)
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skrec.models import WideDeepClassifier
from skrec.preprocessing import FeatureCrosses

COLUMNS = ["age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race",
           "sex", "capital_gain", "capital_loss", "hours", "country", "income"]  # fmt: skip


def generated(n=4000):
    """People whose income depends on the combination of education and occupation, and on age and hours."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"education": rng.choice(["school", "college", "phd"], n),
                      "age": rng.integers(17, 90, n), "hours": rng.normal(40, 10, n),
                      "occupation": rng.choice(["sales", "tech", "craft", None], n)})  # fmt: skip
    pays = {("phd", "tech"), ("college", "sales"), ("school", "craft")}
    fits = np.array([pair in pays for pair in zip(X["education"], X["occupation"], strict=True)])
    logit = 3.0 * fits - 0.003 * (X["age"] - 50) ** 2 + 0.05 * (X["hours"] - 40)
    return X, np.where(rng.logistic(size=n) < logit, ">50K", "<=50K")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", help="adult.data of the UCI repository")
path = parser.parse_args().data
if path:
    people = pd.read_csv(path, names=COLUMNS, skipinitialspace=True, na_values="?")
    X, y = people.drop(columns=["income", "fnlwgt"]), people["income"]
else:
    X, y = generated()
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

crosses = FeatureCrosses(crosses=[("education", "occupation")], passthrough=True)
columns = ColumnTransformer([("crossed", crosses, ["education", "occupation"])], remainder="passthrough")
categories = make_column_selector(pattern="^crossed__|workclass|marital|relationship|race|sex|country")
pipeline = make_pipeline(
    columns.set_output(transform="pandas"), WideDeepClassifier(categorical_features=categories, random_state=0)
)
grid = {"widedeepclassifier__hidden_units": [(64,), (128, 64)], "widedeepclassifier__wide_l1": [0.0, 0.001]}
search = GridSearchCV(pipeline, grid, scoring="neg_log_loss", cv=3).fit(X_train, y_train)

print("best parameters:", search.best_params_)
probability = search.predict_proba(X_test)[:, 1]
print(f"AUC {roc_auc_score(y_test, probability):.4f}, log loss {log_loss(y_test, probability):.4f}")
