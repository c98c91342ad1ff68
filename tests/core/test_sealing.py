"""What is sealed opens with both secrets, at its place, as it was written, and in no other way."""

from typing import Any

from api.core.sealing import seal, unseal

TEXT, SECRET, PLACE = b'{"client_secret": "a long way down"}', "make-me-a-robot", b"0123456789abcdef"


def test_it_opens_with_what_it_was_sealed_with() -> None:
    for text in (TEXT, b""):
        sealed = seal(text, SECRET, PLACE)
        assert unseal(sealed, SECRET, PLACE) == text
        assert not text or text not in sealed


def test_twice_the_same_is_not_seen_to_be_the_same() -> None:
    assert seal(TEXT, SECRET, PLACE) != seal(TEXT, SECRET, PLACE)


def test_nothing_else_opens_it(settings: Any) -> None:
    sealed = seal(TEXT, SECRET, PLACE)
    assert unseal(sealed, SECRET + "s", PLACE) is None
    assert unseal(sealed, SECRET, PLACE[::-1]) is None
    # What moves from one part to the other is not the same together.
    assert unseal(sealed, SECRET[1:], PLACE + SECRET[:1].encode()) is None
    for position in (0, 12, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[position] ^= 1
        assert unseal(bytes(changed), SECRET, PLACE) is None
    settings.SECRET_KEY = "another one"
    assert unseal(sealed, SECRET, PLACE) is None
