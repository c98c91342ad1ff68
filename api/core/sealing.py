"""Text that is stored but must not be read from the database alone."""

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12


def seal(text: bytes, secret: str, place: bytes) -> bytes:
    """Encrypt `text` (AES-256-GCM), so that opening it takes `secret` and the installation's own secret.

    `place` says where it is stored: at another it does not open.
    """
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(secret, place)).encrypt(nonce, text, place)


def unseal(sealed: bytes, secret: str, place: bytes) -> bytes | None:
    """What was sealed; None when either secret is another, or the bytes are not as they were written."""
    try:
        return AESGCM(_key(secret, place)).decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
    except InvalidTag:
        return None


def _key(secret: str, place: bytes) -> bytes:
    own = hashlib.blake2b(settings.SECRET_KEY.encode(), person=b"guildhall seal").digest()
    return hashlib.blake2b(place + secret.encode(), key=own, digest_size=32).digest()
