"""How the secrets of applications are stored."""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare


class SecretHasher(BasePasswordHasher):
    """Salted SHA-256, for secrets that a machine made at random.

    Slow hashes protect what people choose; 384 random bits need none, and a token request would pay for one with a
    third of a second. Never for passwords: it stands last in `PASSWORD_HASHERS`.
    """

    algorithm = "guildhall_secret"

    def encode(self, password: str, salt: str) -> str:
        return f"{self.algorithm}${salt}${hashlib.sha256((salt + password).encode()).hexdigest()}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return constant_time_compare(self.encode(password, self.decode(encoded)["salt"]), encoded)

    def safe_summary(self, encoded: str) -> dict[str, Any]:
        return {"algorithm": self.algorithm}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to make up for: it takes the same time for every secret."""
