"""Warnings point to the caller's line, through scikit-learn's wrappers and the library's own."""

import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import PopularityRanker
from skrec.preprocessing import IDEncoder

EVENTS = pd.DataFrame({"user_id": ["ann"] * 3 + ["bob"] * 3, "item_id": ["x", "y", "z", "y", "z", "x"]})
RATINGS = [5, 4, 3, 4, 3, 5]  # none says that an item was not chosen


@pytest.mark.parametrize(
    "call",
    [
        lambda: PopularityRanker().fit(EVENTS, RATINGS),
        lambda: make_pipeline(IDEncoder(), PopularityRanker()).fit(EVENTS, RATINGS),
        lambda: cross_val_score(
            PopularityRanker(), EVENTS, RATINGS, cv=LeaveLastOut(), scoring=make_ranking_scorer("ndcg@2")
        ),
        lambda: PopularityRanker().fit(EVENTS).recommend([1]),
    ],
    ids=["fit", "pipeline", "cross_val_score", "recommend"],
)
def test_a_warning_points_to_the_caller(call):
    with pytest.warns(UserWarning, match="All values of y are above 0|are numbers") as caught:
        call()
    assert {warning.filename for warning in caught} == {__file__}
