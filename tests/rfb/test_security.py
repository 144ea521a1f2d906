from __future__ import annotations

import subprocess
import sys

import pytest

from auniverse.rfb.security import vnc_response, vnc_response_fits


def test_the_textbook_example_of_des() -> None:
    # FIPS key 13 34 57 79 9B BC DF F1; VNC mirrors the bytes, and DES drops the lowest bit.
    password = bytes(
        int(f"{byte:08b}"[::-1], 2) & 127 for byte in bytes.fromhex("133457799BBCDFF1")
    ).decode()
    challenge = bytes.fromhex("0123456789ABCDEF") * 2
    assert vnc_response(password, challenge) == bytes.fromhex("85E813540F0AB405") * 2


def test_a_key_of_zeros() -> None:
    # NIST's known answers for the zero key: the first blocks of its variable plaintext test.
    challenge = bytes.fromhex("80000000000000004000000000000000")
    assert vnc_response("", challenge) == bytes.fromhex("95F8A5E5DD31D900DD7F121CA5015619")


def test_only_eight_bytes_count() -> None:
    challenge = bytes(range(16))
    assert vnc_response("12345678", challenge) == vnc_response("123456789", challenge)
    assert vnc_response("1234567", challenge) != vnc_response("12345678", challenge)


def test_a_password_of_other_letters() -> None:
    challenge = bytes(range(16))
    assert vnc_response("ключ", challenge) != vnc_response("клюв", challenge)


def test_a_response_fits_its_password_and_challenge_only() -> None:
    response = vnc_response("secret", bytes(16))
    assert vnc_response_fits("secret", bytes(16), response)
    assert not vnc_response_fits("Secret", bytes(16), response)
    assert not vnc_response_fits("secret", bytes(15) + b"\1", response)
    assert not vnc_response_fits("secret", bytes(16), response[:15])


@pytest.mark.parametrize("size", [0, 8, 17])
def test_a_challenge_has_16_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="challenge"):
        vnc_response("secret", bytes(size))


def test_cryptography_is_loaded_only_when_it_is_needed() -> None:
    code = "import sys, auniverse.rfb; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
