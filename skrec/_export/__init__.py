"""Export of fitted models, so that they serve without the library that trained them."""

from skrec._export._api import export
from skrec._export._sizes import network_bytes

__all__ = ["export", "network_bytes"]
