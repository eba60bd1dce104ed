"""``recommend`` for any estimator: unwraps searches and Pipelines, maps ids there and back, serves foreign estimators.

Estimators are known by their methods alone.
"""

from skrec._recommend._api import recommend
from skrec._recommend._candidates import CandidateLists, best_in_lists, read_candidates
from skrec._recommend._exclusions import exclusions_of
from skrec._recommend._frames import is_table
from skrec._recommend._given_histories import are_events, as_sessions, sessions_by_user
from skrec._recommend._lists_by_user import by_index
from skrec._recommend._protocol import FittedRecommender
from skrec._recommend._topk import top_k
from skrec._recommend._unwrap import Unwrapped, is_recommender, refuse_history, require_queries, unwrap

__all__ = [
    "CandidateLists",
    "Unwrapped",
    "FittedRecommender",
    "are_events",
    "by_index",
    "as_sessions",
    "best_in_lists",
    "exclusions_of",
    "is_recommender",
    "is_table",
    "read_candidates",
    "recommend",
    "refuse_history",
    "require_queries",
    "sessions_by_user",
    "top_k",
    "unwrap",
]
