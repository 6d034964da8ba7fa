"""Several destinations at once: of one source, in other regions and accounts, and with other tastes."""

import asyncio
from pathlib import Path

import pytest

from headgate.settings.schema import Source
from headgate.testing import FakeKinesis
from headgate.testing.front import CborSupport
from tests.acceptance.clients import Client, connections, users_of
from tests.acceptance.evidence import everything_arrived, nothing_was_given_away, order_kept
from tests.acceptance.fake_aws import add_destination, add_source, name_of
from tests.acceptance.regions import regions
from tests.acceptance.serving import eventually, serving


async def test_each_destination_has_its_own_region_account_role_and_external_id(tmp_path: Path) -> None:
    oregon, ireland = FakeKinesis(region="us-west-2"), FakeKinesis(region="eu-west-1")
    with oregon, ireland:
        for kinesis, stream in ((oregon, "web"), (ireland, "web-copy"), (ireland, "shop")):
            kinesis.create_stream(stream, 2)
        web = add_destination(oregon, "web", account="111111111111")
        copy = add_destination(ireland, "web-copy", "blind", account="222222222222", region="eu-west-1")
        shop = add_destination(ireland, "shop", account="222222222222", region="eu-west-1")
        website = Source(id="src-website", write_keys=("wk-website",), destinations=(web, copy))
        store = Source(id="src-store", write_keys=("wk-store",), destinations=(shop,))
        with (
            regions({"us-west-2": oregon, "eu-west-1": ireland}) as environment,
            serving([website, store], environment, tmp_path) as forwarder,
        ):
            async with connections() as http:
                clients = [Client(http, forwarder.url, each, users_of(each, 5)) for each in (website, store)]
                for _ in range(10):
                    await asyncio.gather(*(client.deliver(client.request()) for client in clients))
            for kinesis, stream, client in (
                (oregon, "web", clients[0]),
                (ireland, "web-copy", clients[0]),
                (ireland, "shop", clients[1]),
            ):
                everything_arrived(kinesis.ledger, stream, [client])
                order_kept(kinesis.ledger, stream)
                assert len(kinesis.ledger.records(stream)) == 50
                nothing_was_given_away(forwarder, kinesis, [website, store])
            assert oregon.ledger.streams == {"web"}
            assert ireland.ledger.streams == {"web-copy", "shop"}
            for kinesis, destinations in ((oregon, (web,)), (ireland, (copy, shop))):
                assumed = {(given.role, given.external_id) for given in kinesis.identities.given}
                assert assumed == {(each.role_address, each.secret_id) for each in destinations}


@pytest.mark.parametrize("refusal", ["415", "SerializationException"])
async def test_an_endpoint_without_cbor_is_spoken_to_in_json_unless_cbor_was_asked_for(
    refusal: CborSupport, tmp_path: Path
) -> None:
    with FakeKinesis(cbor=refusal) as kinesis:
        auto, cbor = add_source(kinesis, "auto"), add_source(kinesis, "cbor", wire="cbor")
        with serving([auto, cbor], kinesis.environment(), tmp_path) as forwarder:
            async with connections() as http:
                fine, stubborn = (
                    Client(http, forwarder.url, each, users_of(each, 4)) for each in (auto, cbor)
                )
                for _ in range(5):
                    assert (await fine.post(fine.request())).status == 200
                told = await stubborn.post(stubborn.request())
            everything_arrived(kinesis.ledger, "auto", [fine])
            assert not kinesis.ledger.duplicates()
            assert len(forwarder.said(level="warning", code=named(refusal))) == 1
            assert (told.status, told.code) == (503, named(refusal))
            [error] = forwarder.said(level="error", destination=name_of(cbor))
            assert error["code"] == named(refusal)
            await eventually(lambda: forwarder.destinations()[name_of(auto)]["wire"] == "json")
            assert forwarder.destinations()[name_of(cbor)]["wire"] == "cbor"


def named(refusal: CborSupport) -> str:
    return "HTTP415" if refusal == "415" else refusal
