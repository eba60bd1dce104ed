import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrec.preprocessing import IDEncoder

EXPECTED_FAILURES: dict[str, str] = {}


@parametrize_with_checks(
    [IDEncoder(), IDEncoder(handle_unknown="error"), IDEncoder(min_frequency=2)],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
