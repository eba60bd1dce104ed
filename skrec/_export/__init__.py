"""Export of fitted models, so that they serve without the library that trained them."""

from skrec._export._api import export

__all__ = ["export"]
