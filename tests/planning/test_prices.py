import re
from dataclasses import fields

from headgate.planning.prices import Prices, price_table


def test_every_price_is_an_exact_sum_of_money_and_the_table_says_of_when_and_where() -> None:
    table = price_table()
    # 0.014 is 14 thousandths, and not the float that is nearest to it.
    assert (table.prices.million_put_units * 1_000, table.prices.arm_vcpu_hour * 100_000) == (14, 3_238)
    assert all(getattr(table.prices, each.name) > 0 for each in fields(Prices))
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", table.date)
    assert table.regions == ("us-east-1", "us-west-2")
    assert "kinesis/data-streams/pricing" in table.source
