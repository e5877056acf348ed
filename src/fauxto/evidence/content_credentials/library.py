"""c2pa, the native reader of content credentials: started when a file carries one, offline, with a trust list."""

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
"""A manifest store as c2pa puts it into JSON: "active_manifest", "manifests", "validation_results", ..."""

_LIBRARY = {"win32": "c2pa_c.dll", "darwin": "libc2pa_c.dylib"}.get(sys.platform, "libc2pa_c.so")
_LIBRARY_SETTING = "C2PA_LIBRARY_NAME"
_context_lock = threading.Lock()


def read_store(data: bytes, format: str, trust_list: TrustList) -> tuple[Store, dict[str, Any]]:
    """Read and validate a file's manifest store; no byte is sent or asked for over a network.

    Args:
        data: The whole file.
        format: `FileFacts.format` of it.
        trust_list: Who is trusted.

    Returns:
        The store, and the assertions of its active manifest in c2pa's detailed form, which has the hashes as well;
        these are left out (empty) where the store isn't trusted anyway.

    Raises:
        C2paError: The store is damaged or not one.
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
    """Return c2pa's settings, which threads share; nothing in them may reach for the network.

    Identity assertions stay undecoded, because decoding one fetches its issuer's document whatever hosts are allowed.
    Compressed manifests stay packed, because nothing would bound their parts.
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
    """Import c2pa with the library that came with it: it would load one from the current folder first.

    Whoever puts pictures into a folder may put a library beside them.
    """
    if "c2pa" in sys.modules or _LIBRARY_SETTING in os.environ:  # who runs us has chosen one
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
