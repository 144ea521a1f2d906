import pytest

from auniverse.address import Remote
from auniverse.errors import AddressError, UsageError
from auniverse.session import connect


def test_takes_an_address_or_a_remote():
    assert connect("vnc://h:5900+15900").remote == Remote("h", 5900, 15900)
    assert connect(Remote("h", 1, 2), env_id="e").env_id == "e"


def test_takes_one_remote():
    with pytest.raises(UsageError, match="names 2"):
        connect("vnc://a:1+2,b:3+4")
    with pytest.raises(AddressError):
        connect("vnc://")
