"""Which split a picture falls into: decided by where it comes from if that is known, or else by its pixels.

The split depends on a hash alone, of the source's name or of the decoded pixels, so pictures of one source, or equal
pictures, land together, and neither the order of the files nor adding others moves a picture.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from fauxto.errors import DatasetError

SPLITS = ("train", "val", "test", "test2")
"""In their order; `test2` is for one last measurement."""

_SALT = "fauxto split 1:"  # changing it would reshuffle every data set


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise `DatasetError` unless the shares are for known splits, not negative, and sum to 1."""
    if not (
        set(shares) <= set(SPLITS)
        and all(share >= 0 for share in shares.values())
        and math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6)
    ):
        raise DatasetError(f"the shares of {', '.join(SPLITS)} must be 0 or more and sum to 1; got {dict(shares)}")


def choose_split(key: str, shares: Mapping[str, float]) -> str:
    """Choose a split with the given probabilities, the same one whenever the key is the same.

    Shares are met up to chance: of 50,000 keys, a share of 10 % is 5,000 ± 67 (one standard deviation).

    Args:
        key: What must stay together: a source's name, or the hash of the decoded pixels.
        shares: Split name to share; the shares sum to 1.
    """
    digest = hashlib.sha256((_SALT + key).encode(errors="replace")).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    for split, share in shares.items():
        if position < share:
            return split
        position -= share
    return split  # the shares' rounding left a sliver at the end
