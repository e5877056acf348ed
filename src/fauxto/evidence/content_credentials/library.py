"""c2pa, the native reader of content credentials: loaded on the first file that has one, always offline."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from fauxto.evidence.content_credentials.manifests import Store, statuses
from fauxto.evidence.content_credentials.trust_list import TrustList
from fauxto.images.formats import FORMATS

_LIBRARY = {"win32": "c2pa_c.dll", "darwin": "libc2pa_c.dylib"}.get(sys.platform, "libc2pa_c.so")
_LIBRARY_SETTING = "C2PA_LIBRARY_NAME"
_HASH_REFUSED, _TIME_UNTRUSTED = '"assertion.dataHash.mismatch"', '"timeStamp.untrusted"'
_SIGNERS, _TIME_STAMPS = "signers", "time stamps"
_context_lock = threading.Lock()


def read_store(data: bytes, format: str, trust_list: TrustList) -> tuple[Store, dict[str, Any]]:
    """Read and validate a file's manifest store, without network access.

    Args:
        data: The whole file.
        format: Its `FileFacts.format`.
        trust_list: The trusted certificates.

    Returns:
        The store, and the assertions of its active manifest in c2pa's detailed form, which includes the hashes and what
        they exclude; empty where the outcome can't depend on that.

    Raises:
        C2paError: The store is damaged or invalid.
        ImportError: c2pa isn't installed properly.
    """
    plain, hashes = _read(data, format, trust_list.pem)
    store = json.loads(plain)
    if _TIME_UNTRUSTED in plain and trust_list.time_stamps:
        plain, stamped_hashes = _read(data, format, trust_list.pem, trust_list.time_stamps)
        stamped = json.loads(plain)
        if _has_signers_only(stamped):
            return stamped, stamped_hashes
    return store, hashes


def read_resources(data: bytes, format: str, addresses: Sequence[str]) -> dict[str, bytes]:
    """Return what lies at addresses within a file's manifest store, without network access.

    What isn't there or can't be read is left out. Nothing is larger than the store.
    """
    found: dict[str, bytes] = {}
    c2pa = _import_c2pa()
    with _context_lock:
        context = _make_context("", "")
    with c2pa.Reader(FORMATS[format].media_type, BytesIO(data), context=context) as reader:
        for address in addresses:
            content = BytesIO()
            with contextlib.suppress(c2pa.C2paError):
                reader.resource_to_stream(address, content)
                found[address] = content.getvalue()
    return found


def _has_signers_only(store: Store) -> bool:
    """Tell whether every trusted signer is so by the list of signers.

    c2pa-rs 0.91 takes the authorities of time stamps for those of signers, too (`sdk/src/crypto/cose/
    certificate_trust/openssl.rs`), but names the list where it found one.
    """
    trusted = (
        status
        for status in statuses(store.get("validation_results") or {}, "success")
        if status.get("code") == "signingCredential.trusted"
    )
    return all(f"found in [{_SIGNERS}]" in str(status.get("explanation")) for status in trusted)


def _read(data: bytes, format: str, signers: str, time_stamps: str = "") -> tuple[str, dict[str, Any]]:
    with _context_lock:
        context = _make_context(signers, time_stamps)
    with _import_c2pa().Reader(FORMATS[format].media_type, BytesIO(data), context=context) as reader:
        plain = reader.json()
        if json.loads(plain).get("validation_state") != "Trusted" and _HASH_REFUSED not in plain:
            return plain, {}
        detailed = json.loads(reader.detailed_json())
        return plain, detailed["manifests"][detailed["active_manifest"]]["assertion_store"]


@functools.lru_cache(maxsize=4)
def _make_context(signers: str, time_stamps: str) -> Any:
    """Return c2pa's settings, shared between threads; none of them allows network access.

    Identity assertions aren't decoded, because that fetches the issuer's document even from hosts that aren't allowed.
    Compressed manifests aren't unpacked, because nothing would limit their size.
    """
    return _import_c2pa().Context.from_dict(
        {
            "trust": {
                "anchors": [
                    {"trust_anchors": anchors, "trust_kind": kind, "trust_uri": name}
                    for anchors, kind, name in (
                        (signers, "manifest", _SIGNERS),
                        (time_stamps, "tsa", _TIME_STAMPS),
                    )
                    if anchors
                ]
            },
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
