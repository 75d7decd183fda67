import pytest

from mlmcrm.encryption import (
    SealBroken,
    blind_index,
    is_current,
    seal,
    seal_bytes,
    unseal,
    unseal_bytes,
)

OLD, NEW = b"o" * 32, b"n" * 32
HERE, THERE = "payoutmethod|iban|7", "payoutmethod|iban|8"


@pytest.fixture
def ring(settings):
    settings.FIELD_KEYS = {"old": OLD}
    return settings


def test_seal_opens_in_its_own_place_only(ring):
    sealed = seal("GB29 NWBK 6016 1331 9268 19", context=HERE)

    assert sealed.startswith("v1:old:")
    assert unseal(sealed, context=HERE) == "GB29 NWBK 6016 1331 9268 19"
    with pytest.raises(SealBroken):
        unseal(sealed, context=THERE)


def test_seal_never_repeats_itself(ring):
    assert seal("same", context=HERE) != seal("same", context=HERE)


def test_rotation_opens_old_values_and_seals_with_the_first_key(ring):
    before = seal("secret", context=HERE)

    ring.FIELD_KEYS = {"new": NEW, "old": OLD}
    after = seal("secret", context=HERE)

    assert after.startswith("v1:new:")
    assert unseal(before, context=HERE) == unseal(after, context=HERE) == "secret"
    assert is_current(after)
    assert not is_current(before)


def test_retired_key_refuses_its_values(ring):
    sealed = seal("secret", context=HERE)

    ring.FIELD_KEYS = {"new": NEW}

    with pytest.raises(SealBroken, match="not in the ring"):
        unseal(sealed, context=HERE)


def test_key_renamed_to_another_id_does_not_open(ring):
    sealed = seal("secret", context=HERE)

    ring.FIELD_KEYS = {"old": NEW}

    with pytest.raises(SealBroken):
        unseal(sealed, context=HERE)


@pytest.mark.parametrize(
    "broken", ["", "plain", "v1:old:%%%", "v1:old:", "v2:old:AAAA", "v1:old:AA=="]
)
def test_unseal_refuses_what_was_never_sealed(ring, broken):
    with pytest.raises(SealBroken):
        unseal(broken, context=HERE)


def test_altered_file_does_not_open(ring):
    picture = bytes(range(256)) * 40
    sealed = seal_bytes(picture, context=HERE)
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])

    assert picture not in sealed
    assert unseal_bytes(sealed, context=HERE) == picture
    with pytest.raises(SealBroken):
        unseal_bytes(altered, context=HERE)
    with pytest.raises(SealBroken):
        unseal_bytes(sealed, context=THERE)


def test_blind_index_finds_equal_values_of_one_purpose(settings):
    first = blind_index("ABCDE1234F", purpose="pan")

    assert first == blind_index("ABCDE1234F", purpose="pan")
    assert first != blind_index("ABCDE1234F", purpose="aadhaar")

    settings.INDEX_KEY = b"x" * 32
    assert first != blind_index("ABCDE1234F", purpose="pan")
