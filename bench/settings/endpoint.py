"""A DynamoDB and a KMS that cost little: `python -m bench.settings.endpoint`.

It keeps one table in memory, checks no condition and encrypts nothing. It prints its port, and ends when its
standard input does.
"""

import asyncio
import json
import sys
from bisect import bisect_left, insort
from typing import Any

import uvloop

from bench.standin.connection import Answer, Connection, Request

PAGE_BYTES = 1_000_000
"""About what one answer of DynamoDB's Query holds."""

Key = tuple[str, str]


class Table:
    """What is asked of it, and its answers."""

    def __init__(self) -> None:
        self._items: dict[Key, str] = {}
        self._keys: list[Key] = []

    def answer(self, operation: str, asked: dict[str, Any]) -> bytes:
        answer: str = getattr(self, f"_{operation.lower()}")(asked)
        return answer.encode()

    def _getitem(self, asked: dict[str, Any]) -> str:
        item = self._items.get(key(asked["Key"]))
        return f'{{"Item":{item}}}' if item is not None else "{}"

    def _batchgetitem(self, asked: dict[str, Any]) -> str:
        [(table, wanted)] = asked["RequestItems"].items()
        found = [self._items[key(each)] for each in wanted["Keys"] if key(each) in self._items]
        return f'{{"Responses":{{"{table}":[{",".join(found)}]}},"UnprocessedKeys":{{}}}}'

    def _query(self, asked: dict[str, Any]) -> str:
        values = asked["ExpressionAttributeValues"]
        kind, after = values[":kind"]["S"], values.get(":after", {}).get("S", "")
        begin = asked.get("ExclusiveStartKey")
        at = (
            bisect_left(self._keys, (kind, after))
            if begin is None
            else bisect_left(self._keys, key(begin)) + 1
        )
        found, size = [], 0
        while at < len(self._keys) and self._keys[at][0] == kind and size < PAGE_BYTES:
            found.append(self._items[self._keys[at]])
            size += len(found[-1])
            at += 1
        more = at < len(self._keys) and self._keys[at][0] == kind
        last = {name: {"S": text} for name, text in zip(("pk", "sk"), self._keys[at - 1], strict=True)}
        rest = f',"LastEvaluatedKey":{json.dumps(last)}' if more else ""
        return f'{{"Items":[{",".join(found)}]{rest}}}'

    def _transactwriteitems(self, asked: dict[str, Any]) -> str:
        for step in asked["TransactItems"]:
            [(what, request)] = step.items()
            if what == "Put":
                item = request["Item"]
                if key(item) not in self._items:
                    insort(self._keys, key(item))
                self._items[key(item)] = json.dumps(item)
            else:
                self._items.pop(key(request["Key"]))
                self._keys.remove(key(request["Key"]))
        return "{}"

    def _encrypt(self, asked: dict[str, Any]) -> str:
        return json.dumps({"CiphertextBlob": asked["Plaintext"], "KeyId": asked["KeyId"]})

    def _decrypt(self, asked: dict[str, Any]) -> str:
        return json.dumps({"Plaintext": asked["CiphertextBlob"], "KeyId": "key"})


def key(item: dict[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


async def serve() -> None:
    table, loop = Table(), asyncio.get_running_loop()

    def answer(request: Request) -> Answer:
        body = table.answer(request.operation, json.loads(request.body))
        return Answer(200, "application/x-amz-json-1.0", body)

    server = await loop.create_server(lambda: Connection(answer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
