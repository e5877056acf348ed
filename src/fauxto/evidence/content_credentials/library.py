"""c2pa, the native reader of content credentials: loaded on the first file that has one, always offline."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

from fauxto.evidence.content_credentials.trust_list import TrustList
from fauxto.images.formats import FORMATS

Store = dict[str, Any]
"""A manifest store in c2pa's JSON form: "active_manifest", "manifests", "validation_results", ..."""

_LIBRARY = {"win32": "c2pa_c.dll", "darwin": "libc2pa_c.dylib"}.get(sys.platform, "libc2pa_c.so")
_LIBRARY_SETTING = "C2PA_LIBRARY_NAME"
_context_lock = threading.Lock()


def read_store(data: bytes, format: str, trust_list: TrustList) -> tuple[Store, dict[str, Any]]:
    """Read and validate a file's manifest store, without network access.

    Args:
        data: The whole file.
        format: Its `FileFacts.format`.
        trust_list: The trusted certificates.

    Returns:
        The store, and the assertions of its active manifest in c2pa's detailed form, which includes the hashes;
        empty if the store isn't trusted.

    Raises:
        C2paError: The store is damaged or invalid.
        ImportError: c2pa isn't installed properly.
    """
    with _context_lock:
        context = _make_context(trust_list.pem)
    with _import_c2pa().Reader(FORMATS[format].media_type, BytesIO(data), context=context) as reader:
        store = json.loads(reader.json())
        if store.get("validation_state") != "Trusted":
            return store, {}
        detailed = json.loads(reader.detailed_json())
        return store, detailed["manifests"][detailed["active_manifest"]]["assertion_store"]


@functools.lru_cache(maxsize=4)
def _make_context(anchors: str) -> Any:
    """Return c2pa's settings, shared between threads; none of them allows network access.

    Identity assertions aren't decoded, because that fetches the issuer's document even from hosts that aren't allowed.
    Compressed manifests aren't unpacked, because nothing would limit their size.
    """
    return _import_c2pa().Context.from_dict(
        {
            "trust": {"trust_anchors": anchors},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {
                "allowed_network_hosts": [],
                "decode_identity_assertions": False,
                "max_decompressed_manifest_size_in_mb": 0,
            },
        }
    )


def _import_c2pa() -> Any:
    """Import c2pa with its bundled library; by default it would try the current folder first.

    An untrusted folder of pictures may contain a library, too.
    """
    if "c2pa" in sys.modules or _LIBRARY_SETTING in os.environ:  # the user has chosen one
        import c2pa

        return c2pa
    spec = importlib.util.find_spec("c2pa")
    library = Path(spec.origin if spec and spec.origin else "").parent / "libs" / _LIBRARY
    if not library.is_file():
        raise ImportError("c2pa isn't installed properly: pip install --force-reinstall c2pa-python")
    os.environ[_LIBRARY_SETTING] = str(library)
    try:
        import c2pa
    finally:
        del os.environ[_LIBRARY_SETTING]
    return c2pa
