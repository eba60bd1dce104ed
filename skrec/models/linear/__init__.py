"""Linear models, which learn how much a past item adds to the score of each item."""
