"""Every amount from one minor unit to ten million: fee and share are the amount, whole and in any parts."""

import random

import pytest

from money import Money, split_by_rate
from money.shares import GivenBack, part_to_give_back

EVERY_AMOUNT = 10_000_000
CHUNKS = 8
SEQUENCES = 20_000


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_fee_and_share_of_every_amount_to_ten_million_are_the_amount(chunk):
    size = EVERY_AMOUNT // CHUNKS
    for minor in range(chunk * size + 1, (chunk + 1) * size + 1):
        split = split_by_rate(Money(minor, "GBP"), 1000)
        fee, share = split.fee.minor, split.share.minor
        # A tenth, halves rounded up: the next tenth begins at 5.
        if fee + share != minor or fee != (minor + 5) // 10:
            pytest.fail(f"{minor} is divided into {fee} and {share}")


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_random_partial_refunds_give_back_fee_and_share_exactly(currency):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  # pytest shows it if the test fails
    dice = random.Random(seed)
    for _ in range(SEQUENCES):
        amount = dice.randint(1, dice.choice([9, 1000, EVERY_AMOUNT]))
        split = split_by_rate(Money(amount, currency), dice.randint(0, 10_000))
        fee_back, share_back = _give_back_in_parts(amount, split.fee.minor, dice)
        assert (fee_back, share_back) == (split.fee.minor, split.share.minor), (seed, amount)


def _give_back_in_parts(amount, fee, dice):
    refunded = fee_back = 0
    while refunded < amount:
        part = dice.randint(1, dice.choice([amount - refunded, max(1, (amount - refunded) // 3)]))
        fee_part = part_to_give_back(
            part, of=GivenBack(amount=amount, part=fee), so_far=GivenBack(amount=refunded, part=fee_back)
        )
        assert 0 <= fee_part <= part
        refunded, fee_back = refunded + part, fee_back + fee_part
    return fee_back, refunded - fee_back
