"""Sealed fields: AES-256-GCM with a ring of named keys, and a keyed index to find equal values.

The context (`table|column|row`) is authenticated, so a sealed value copied to another row or column
does not open there. New values take the newest key; old ones open as long as theirs is in the ring.
"""

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = "v1"
NONCE_BYTES = 12


class SealBroken(Exception):
    """The value was altered, belongs somewhere else, or its key is not in the ring."""


def seal(text: str, *, context: str) -> str:
    """`v1:<key id>:<base64 of nonce and ciphertext>`; never the same value twice."""
    key_id, key = current_key()
    body = base64.b64encode(encrypt(key, text.encode(), context)).decode()
    return f"{VERSION}:{key_id}:{body}"


def unseal(sealed: str, *, context: str) -> str:
    """The text again. Raises SealBroken."""
    version, key_id, body = [*sealed.split(":", 2), "", ""][:3]
    check_version(version)
    try:
        raw = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise SealBroken("Not a sealed value.") from error
    return decrypt(key_of(key_id), raw, context).decode()


def seal_bytes(content: bytes, *, context: str) -> bytes:
    """For files: a one-line head `v1:<key id>`, then nonce and ciphertext, without base64."""
    key_id, key = current_key()
    return f"{VERSION}:{key_id}\n".encode() + encrypt(key, content, context)


def unseal_bytes(sealed: bytes, *, context: str) -> bytes:
    head, _, body = sealed.partition(b"\n")
    version, _, key_id = head.decode("ascii", errors="replace").partition(":")
    check_version(version)
    return decrypt(key_of(key_id), body, context)


def is_current(sealed: str) -> bool:
    """Whether the newest key sealed it; what is not gets sealed again on the next write."""
    return sealed.startswith(f"{VERSION}:{current_key()[0]}:")


def blind_index(value: str, *, purpose: str) -> str:
    """Equal values of one purpose give equal digests; without the key nothing can be tried out."""
    message = f"{purpose}\0{value}".encode()
    return hmac.new(settings.INDEX_KEY, message, hashlib.sha256).hexdigest()


def current_key() -> tuple[str, bytes]:
    key_id: str = next(iter(settings.FIELD_KEYS))
    return key_id, settings.FIELD_KEYS[key_id]


def key_of(key_id: str) -> bytes:
    try:
        key: bytes = settings.FIELD_KEYS[key_id]
    except KeyError as error:
        raise SealBroken("The key of this value is not in the ring.") from error
    return key


def check_version(version: str) -> None:
    if version != VERSION:
        raise SealBroken("Not a sealed value.")


def encrypt(key: bytes, content: bytes, context: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, context.encode())


def decrypt(key: bytes, raw: bytes, context: str) -> bytes:
    try:
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken("The value was altered or belongs somewhere else.") from error
