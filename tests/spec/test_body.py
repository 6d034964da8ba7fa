import pytest

from headgate.spec import body as bodies

DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"a":1', "not valid JSON"),
        (b'{"a":"x', "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b'{"a":1}x', "not valid JSON"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":Infinity}', "not valid JSON"),
        (b'{"a":[-Infinity]}', "not valid JSON"),
        (b'{"a":01}', "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b'{"a":"\n"}', "not valid JSON"),
        (rb'{"a":"\q"}', "not valid JSON"),
        (rb'{"a":"\ud83d","b":NaN}', "not valid JSON"),
        (rb'{"a":"\ud83d"', "not valid JSON"),
        (rb'{"a":"\ud83', "not valid JSON"),
        (b'{"a":"\xff"}', "not UTF-8: byte 6"),
        (b'{"a":"\xed\xa0\xbd"}', "not UTF-8"),
        (b'\xff\xfe{\x00"\x00', "not UTF-8"),
        (b'{"a":' + DEEP, "nested too deeply"),
        (b'{"a":' + DEEP + b"]" * 100_000 + b"}", "nested too deeply"),
        (rb'{"b":"\ud83d","a":' + DEEP + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[]", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b'"{}"', "not a JSON object"),
        (b"null", "not a JSON object"),
    ],
)
@pytest.mark.parametrize("batch", [False, True])
def test_a_body_that_cannot_be_read_says_why(text: bytes, said: str, batch: bool) -> None:
    with pytest.raises(bodies.Malformed, match=said) as raised:
        bodies.read(text, batch=batch)
    assert raised.value.code == "bad_request"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"{}", "empty_batch"),
        (b'{"batch":[]}', "empty_batch"),
        (b'{"batch":[ ]}', "empty_batch"),
        (b'{"batch":null}', "empty_batch"),
        (b'{"batch":[{}],"batch":[]}', "empty_batch"),
        (rb'{"x":"\ud83d"}', "empty_batch"),
        (rb'{"x":"\ud83d","batch":[]}', "empty_batch"),
        (rb'{"x":"\ud83d","batch":null}', "empty_batch"),
        (b'{"batch":{}}', "bad_request"),
        (b'{"batch":"[]"}', "bad_request"),
        (rb'{"x":"\ud83d","batch":3}', "bad_request"),
    ],
)
def test_a_batch_without_events_is_refused_with_segments_code(text: bytes, code: str) -> None:
    with pytest.raises(bodies.Malformed, match="batch is") as raised:
        bodies.read(text, batch=True)
    assert raised.value.code == code


EVENTS = [
    b'{"a" : 1.0,"a":2,"b":[ 1e999 , -0, ' + b"9" * 10_000 + b"]}",
    rb'{"emoji":"\ud83d","pair":"\ud83d\ude00","e":"\u00e9"}',
    b"3",
    b"null",
    b'"]}"',
    b"[[],{}]",
    b"{}",
    '{"ü":"\u2028"}'.encode(),
]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("events", [EVENTS, [each for each in EVENTS if b"\\ud83d" not in each]])
@pytest.mark.parametrize(
    "template",
    [
        b'{"batch":[%b]}',
        b' \n{ "writeKey" : "k" , "batch" : [ %b ] , "sentAt" : "now" } \t',
        b'{"batch":{"batch":[1]},"x":{"batch":[2]},"batch":[%b],"y":"batch"}',
        b'{"b\\u0061tch":[%b]}',
    ],
)
def test_each_event_of_a_batch_is_what_stood_in_it(template: bytes, events: list[bytes], mark: bytes) -> None:
    for comma in (b",", b" ,\r\n\t"):
        text = mark + template % comma.join(events)
        assert bodies.read(text, batch=True).events == events


@pytest.mark.parametrize("extra", ["", r',"emoji":"\ud83d"'])
@pytest.mark.parametrize(
    "template", ['{"writeKey":"k","sentAt":"now"%s}', '{%s"sentAt":"now","writeKey":"k"}']
)
def test_one_call_is_its_own_event(template: str, extra: str) -> None:
    member = extra if template.startswith('{"') else extra.lstrip(",") + ("," if extra else "")
    text = (template % member).encode()
    found = bodies.read(b"\xef\xbb\xbf \n" + text + b"\n", batch=False)
    assert (found.events, found.write_key, found.sent_at) == ([text], "k", "now")
    assert (found.context, found.integrations) == (None, None)


@pytest.mark.parametrize(
    ("text", "write_key"),
    [
        (b'{"batch":[{"writeKey":"b"}],"writeKey":"a"}', "a"),
        (b'{"writeKey":"a","batch":[{"writeKey":"b"}]}', "a"),
        (b'{"sentAt":"x","writeKey":"a","batch":[{}]}', "a"),
        (b'{"writeKey":"z","writeKey":"a","batch":[{}]}', "a"),
        (b'{"write\\u004bey":"a","batch":[{}]}', "a"),
        (b'{"batch":[{"writeKey":"b"}]}', "b"),
        (b'{"batch":[3,{},{"writeKey":null},{"writeKey":5},{"writeKey":"b"},{"writeKey":"c"}]}', "b"),
        (b'{"batch":[{"x":"\\ud83d","writeKey":"b"}]}', "b"),
        (b'{"batch":[{"x":"\\ud83d","writeKey":"b"}],"writeKey":"a"}', "a"),
        (b'{"batch":[{"writeKey":"b"}],"writeKey":null}', "b"),
        (b'{"batch":[{"writeKey":"b"}],"writeKey":""}', "b"),
        (b'{"batch":[{"writeKey":"b"}],"writeKey":["k"]}', "b"),
        (b'{"batch":[3]}', None),
        (b'{"batch":[{"properties":{"writeKey":"no"}}]}', None),
    ],
)
def test_the_write_key_of_a_batch_stands_beside_it_or_in_its_items(
    text: bytes, write_key: str | None
) -> None:
    assert bodies.read(text, batch=True).write_key == write_key


@pytest.mark.parametrize(
    ("value", "shared"),
    [
        (b'{"a": 1.0}', b'{"a": 1.0}'),
        (b'{"e":"\\ud83d"}', b'{"e":"\\ud83d"}'),
        (b"{ }", None),
        (b"{}", None),
        (b"null", None),
        (b'"text"', None),
        (b"[1]", None),
    ],
)
@pytest.mark.parametrize("key", ["context", "integrations"])
def test_what_a_batch_says_of_all_its_events_is_kept_as_it_was_written(
    key: str, value: bytes, shared: bytes | None
) -> None:
    for extra in (b"", b',"x":"\\ud83d"', b',"writeKey":5'):
        found = bodies.read(b'{"%b":%b,"batch":[{}]%b}' % (key.encode(), value, extra), batch=True)
        assert getattr(found, key) == shared
        assert found.sent_at is None
