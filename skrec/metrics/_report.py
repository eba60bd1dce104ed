"""The report of a ranking scorer."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from skrec._data.tables.spelling import closest
from skrec.metrics._intervals import ConfidenceInterval, bootstrap_interval


@dataclass(frozen=True, eq=False)
class RankingReport:
    """Result of the ``evaluate`` method of a ranking scorer.

    Parameters
    ----------
    metrics : dict of str to float
        The metrics by name: means over the users in `per_user`. Metrics of all lists together (``coverage@k`` and
        ``neg_gini@k``) and the shares ``cold_users`` and ``cold_items`` have no values per user.
    per_user : DataFrame of shape (n_users, n_metrics)
        The values of each user who has a relevant held-out item (with ``protocol="rerank"``, of each user whose labels
        differ), indexed by user id, for confidence intervals and for comparing models user by user. A value is NaN if
        it is undefined: for a metric that uses only ``y > 0`` if this is the same for all rows of the user, for ``auc``
        if no irrelevant item is ranked, and for ``diversity@k`` if a list has fewer than two items.
    n_users : int
        Number of these users.
    cold_user_share : float
        Share of these users that are unknown to the model. NaN for models of other packages.
    cold_item_share : float
        Share of the relevant held-out (user, item) pairs whose item is unknown to the model, so that no model trained
        on the same rows could have recommended it. NaN for models of other packages.
    protocol : str
        The protocol. Values of different protocols must not be compared.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from skrec.metrics import make_ranking_scorer
    >>> X = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [5, 6, 5, 6]})
    >>> y = [1, 0, 0, 1]
    >>> report = make_ranking_scorer("mrr@10", protocol="rerank").evaluate(Ridge().fit(X, y), X, y)
    >>> report
    RankingReport(metrics={'mrr@10': 0.5}, n_users=2, cold_user_share=nan, cold_item_share=nan, protocol='rerank')
    >>> report.per_user["mrr@10"].tolist()
    [0.5, 0.5]
    >>> report.interval("mrr@10")
    ConfidenceInterval(low=0.5, high=0.5)
    """

    metrics: dict[str, float]
    per_user: pd.DataFrame = field(repr=False)
    n_users: int
    cold_user_share: float
    cold_item_share: float
    protocol: str

    def interval(
        self,
        metric: str | None = None,
        *,
        confidence_level: float = 0.95,
        n_resamples: int = 9999,
        random_state: Any = 0,
    ) -> ConfidenceInterval:
        """Compute a bootstrap confidence interval of a metric; see :func:`bootstrap_interval`.

        Parameters
        ----------
        metric : str or None, default=None
            A metric with values per user. None is allowed if the report holds a single one.
        confidence_level : float, default=0.95
            Confidence level of the interval, between 0 and 1.
        n_resamples : int, default=9999
            Number of samples of users.
        random_state : int, RandomState or None, default=0
            Random state of the resampling. Pass an int for reproducible results.

        Returns
        -------
        ConfidenceInterval
            A named tuple of `low` and `high`.

        Raises
        ------
        ValueError
            If the report does not contain the metric or its values per user, or fewer than two users have a value.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.metrics import make_ranking_scorer
        >>> from skrec.models import PopularityRanker
        >>> train = pd.DataFrame({"user_id": [1, 2, 3, 4], "item_id": [5, 5, 6, 7]})
        >>> test = pd.DataFrame({"user_id": [1, 2, 3, 4], "item_id": [6, 6, 5, 6]})
        >>> report = make_ranking_scorer("mrr@10").evaluate(PopularityRanker().fit(train), test)
        >>> report.metrics
        {'mrr@10': 0.625}
        >>> report.interval("mrr@10")
        ConfidenceInterval(low=0.5, high=0.875)
        """
        return bootstrap_interval(
            self._of_users(metric),
            confidence_level=confidence_level,
            n_resamples=n_resamples,
            random_state=random_state,
        )

    def _of_users(self, metric: str | None) -> pd.Series:
        """Return the values of the users for one metric; None stands for the only metric."""
        names = [*self.per_user]
        if metric is None and len(names) == 1:
            return self.per_user[names[0]]
        if metric in names:
            return self.per_user[metric]
        listed = f"The report has values per user of: {', '.join(names) or 'no metric'}."
        if metric is None:
            raise ValueError(f"metric is missing: pass the name of one of the metrics. {listed}")
        if metric in self.metrics:
            raise ValueError(f"{metric!r} has no values per user, because it describes all lists together. {listed}")
        guess = closest(str(metric), names)
        hint = "" if guess is None else f" Did you mean {guess!r}?"
        raise ValueError(f"The report has no metric {metric!r}.{hint} {listed}")
