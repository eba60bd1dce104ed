"""skrec's own conformance checks."""

from __future__ import annotations

from typing import Any

from skrec.testing import _recommending, _state
from skrec.testing._case import Case

__all__ = ["check_recommender"]

_CHECKS = (
    _state.check_nothing_is_answered_before_fit,
    _state.check_fit_returns_the_estimator_and_keeps_its_parameters,
    _state.check_the_search_space_is_of_its_parameters,
    _recommending.check_ids_are_those_of_the_data,
    _recommending.check_score_items_has_a_column_for_each_item,
    _recommending.check_recommend_returns_a_frame,
    _recommending.check_seen_items_are_left_out,
    _recommending.check_recommend_follows_score_items,
    _recommending.check_arrays_are_the_frame,
    _recommending.check_excluded_pairs_are_left_out,
    _recommending.check_candidates_limit_the_choice,
    _recommending.check_k,
    _recommending.check_predict_agrees_with_score_items,
    _recommending.check_a_score_does_not_depend_on_the_other_rows,
    _recommending.check_unknown_users,
    _state.check_containers_do_not_matter,
    _state.check_the_same_random_state_gives_the_same_bits,
    _state.check_a_pickle_is_the_same,
    _state.check_a_failed_fit_changes_nothing,
    _state.check_partial_fit_adds_ids,
)


def check_recommender(estimator: Any, *, personalised: bool = True) -> None:
    """Check that an estimator behaves as a recommender of skrec.

    Run these checks in addition to :func:`sklearn.utils.estimator_checks.check_estimator`, which does not cover
    recommendation. The estimator is fitted about ten times, on a thousand rows of 30 users (strings) and
    36 items (integers) in three groups, where users like the items of their own group.

    The checks cover the fitted attributes; the shape, order and ties of ``recommend``; seen items, ``exclude``,
    ``candidates`` and ``k``; the agreement of ``predict`` and ``score_items``, and their independence of other rows in
    the call; unknown ids; arrays and frames; ``random_state``, ``pickle`` and ``clone``; failed fits, which must not
    change anything; ``partial_fit`` and the default search space, if there are any; and whether the groups are found.

    Parameters
    ----------
    estimator : estimator
        A Classifier, Regressor or Ranker with the methods of :class:`skrec.models.PopularityRanker`, with parameters
        that let it learn from a thousand rows. It is cloned and not changed.
    personalised : bool, default=True
        If True, the model must find the groups. Pass False for a baseline that recommends the same items to all users.

    Raises
    ------
    AssertionError
        If a check fails; the message names it.

    Examples
    --------
    >>> from skrec.models import PopularityRanker
    >>> from skrec.testing import check_recommender
    >>> check_recommender(PopularityRanker(), personalised=False)

    >>> class Stubborn(PopularityRanker):
    ...     def recommend(self, queries, k=10, **options):
    ...         return super().recommend(queries, k, **{**options, "exclude_seen": False})
    >>> check_recommender(Stubborn(), personalised=False)
    Traceback (most recent call last):
    AssertionError: Stubborn fails check_seen_items_are_left_out: recommend returns items that the user has seen
    """
    case = Case(estimator)
    for check in (*_CHECKS, *((_recommending.check_finds_the_groups,) if personalised else ())):
        try:
            check(case)
        except Exception as error:
            what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            raise AssertionError(f"{type(estimator).__name__} fails {check.__name__}: {what}") from error
