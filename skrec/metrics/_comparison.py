"""Test whether one model is better than another by more than chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skrec.metrics._intervals import ConfidenceInterval, at_once, check_resampling, generator, interval_of
from skrec.metrics._report import RankingReport

_FEWEST = 6  # with 5 users the smallest possible p-value, 2 / 2**5, is above .05


@dataclass(frozen=True)
class PairedComparison:
    """How two models differ in one metric, user by user.

    Parameters
    ----------
    mean_difference : float
        Mean over the users of the first model's value minus the second's.
    interval : ConfidenceInterval
        Bootstrap confidence interval of the mean difference.
    p_value : float
        Two-sided p-value: the probability of a mean difference at least as large if the models did not differ.
    n_users : int
        Number of users with a value.

    Examples
    --------
    >>> from skrec.metrics import paired_permutation_test
    >>> paired_permutation_test([0.5, 1.0, 0.0, 0.2, 0.1, 0.3], [0.5, 1.0, 0.0, 0.2, 0.1, 0.3]).p_value
    1.0
    """

    mean_difference: float
    interval: ConfidenceInterval
    p_value: float
    n_users: int


def paired_permutation_test(
    a: Any,
    b: Any,
    metric: str | None = None,
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 9999,
    random_state: Any = 0,
) -> PairedComparison:
    """Test whether two models differ in a metric by more than chance, comparing them user by user.

    Parameters
    ----------
    a, b : RankingReport, or Series or array-like of shape (n_users,)
        Results of the scorer's ``evaluate`` for both models on the same held-out rows, or the values of one metric for
        each user. Series are aligned by their index of users, arrays by position.
    metric : str or None, default=None
        The metric of the reports to compare. None is allowed if the reports hold a single metric.
    confidence_level : float, default=0.95
        Confidence level of the interval, between 0 and 1.
    n_resamples : int, default=9999
        Number of resamples: of signs for the test, and of users for the interval. The p-value is at least
        ``2 / (n_resamples + 1)``.
    random_state : int, RandomState or None, default=0
        Random state of the resampling. Pass an int for reproducible results.

    Returns
    -------
    PairedComparison
        `mean_difference` (of `a` minus `b`), its bootstrap `interval`, `p_value` and `n_users`.

    Raises
    ------
    ValueError
        If the users or the protocols differ, a user has a value for only one of the models, or there are fewer than six
        users, for whom no difference could be significant at .05.

    Notes
    -----
    The test is the paired permutation (or randomization) test of the mean difference [1]_: if the models did not
    differ, a user's two values could be swapped, so that the sign of the user's difference is random. It makes no
    assumption about the distribution of the values, which is far from normal when most users have no hit. On ranking
    metrics, the error rates of this test and of the t-test are close to nominal; the sign and Wilcoxon tests do not
    test the mean [1]_ [2]_. Users whose values are NaN for both models are left out.

    A small p-value says that there is a difference, not that the difference matters: look at the interval. When many
    models or metrics are compared, some p-values are small by chance: multiply each by the number of comparisons
    (Bonferroni).

    References
    ----------
    .. [1] M. D. Smucker, J. Allan and B. Carterette, "A comparison of statistical significance tests for information
       retrieval evaluation", CIKM 2007. :doi:`10.1145/1321440.1321528`
    .. [2] J. Urbano, H. Lima and A. Hanjalic, "Statistical significance testing in information retrieval: an empirical
       analysis of type I, type II and type III errors", SIGIR 2019. :doi:`10.1145/3331184.3331259`

    Examples
    --------
    >>> import numpy as np
    >>> from skrec.metrics import paired_permutation_test
    >>> hits = np.repeat([0.0, 1.0], 100)
    >>> other = hits.copy()
    >>> other[90:100] = 1
    >>> comparison = paired_permutation_test(other, hits)
    >>> comparison.mean_difference, comparison.p_value < 0.01, comparison.n_users
    (0.05, True, 200)
    """
    check_resampling(confidence_level, n_resamples)
    differences = _differences(a, b, metric)
    rng = generator(random_state)

    def with_random_signs(size: tuple[int, int]) -> NDArray[np.float64]:
        return differences * (1 - 2 * rng.integers(0, 2, size, dtype=np.int8))

    test = stats.monte_carlo_test(
        differences,
        with_random_signs,
        np.mean,
        vectorized=True,
        n_resamples=int(n_resamples),
        batch=at_once(len(differences)),
    )
    return PairedComparison(
        mean_difference=float(test.statistic),
        interval=interval_of(differences, confidence_level, int(n_resamples), rng),
        p_value=float(test.pvalue),
        n_users=len(differences),
    )


def _differences(a: Any, b: Any, metric: str | None) -> NDArray[np.float64]:
    """Return the difference between the values of each user who has a value for both models."""
    if isinstance(a, RankingReport) and isinstance(b, RankingReport) and a.protocol != b.protocol:
        raise ValueError(
            f"a is a report of protocol={a.protocol!r}, and b of protocol={b.protocol!r}: values of different "
            "protocols cannot be compared. Evaluate both models with the same scorer."
        )
    first, second = _of_users(a, metric, "a"), _of_users(b, metric, "b")
    only_in = [one.index[~one.index.isin(other.index)] for one, other in ((first, second), (second, first))]
    for name, other, only in (("a", "b", only_in[0]), ("b", "a", only_in[1])):
        if len(only):
            raise ValueError(
                f"{name} has {len(only)} user(s) that {other} lacks, for instance {only[:1].tolist()[0]!r}: a paired "
                "test needs both values of each user. Evaluate both models on the same held-out rows."
            )
    values = pd.DataFrame({"a": first, "b": second.reindex(first.index)})
    missing = values.isna()
    odd = missing["a"] != missing["b"]
    if odd.any():
        lacking = "a" if missing["a"][odd].iloc[0] else "b"
        raise ValueError(
            f"{odd.sum()} user(s) have a value for only one model: {lacking} has NaN "
            f"for {values.index[odd][:1].tolist()[0]!r}. Leave them out of both."
        )
    differences: NDArray[np.float64] = (values["a"] - values["b"]).dropna().to_numpy()
    if len(differences) < _FEWEST:
        raise ValueError(
            f"{len(differences)} user(s) have values: with fewer than {_FEWEST} users, no difference can be "
            "significant at .05. Hold out more users."
        )
    return differences


def _of_users(values: Any, metric: str | None, name: str) -> pd.Series:
    if isinstance(values, RankingReport):
        return values._of_users(metric)
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a RankingReport or hold one number per user, got shape {array.shape}.")
    series = values if isinstance(values, pd.Series) else pd.Series(array)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise ValueError(f"{name} must hold one number per user, but it holds {series.dtype}.")
    if not series.index.is_unique:
        twice = series.index[series.index.duplicated()][:1].tolist()[0]
        raise ValueError(f"{name} has more than one value for the user {twice!r}: its index must hold each user once.")
    return series.astype(np.float64)
