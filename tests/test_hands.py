"""Blocking calls in threads that nobody waits for."""

import threading

from headgate.hands import Hands


def test_results_come_with_their_tasks_as_they_are_done() -> None:
    hands = Hands(lambda number: number * 2, 3)
    for number in range(3):
        hands.give(number)
    assert not hands.free
    found = dict(done for _ in range(3) if (done := hands.next(10)) is not None)
    assert found == {0: 0, 1: 2, 2: 4}
    assert hands.free
    assert hands.busy == 0
    hands.close()


def test_what_is_raised_is_a_result() -> None:
    hands = Hands(lambda number: 1 // number, 1)
    hands.give(0)
    done = hands.next(10)
    assert done is not None
    assert isinstance(done[1], ZeroDivisionError)
    hands.close()


def test_nothing_comes_of_waiting_for_nothing() -> None:
    hands = Hands(lambda number: number, 1)
    assert hands.next(0.001) is None
    assert hands.next(-1) is None


def test_its_threads_end_when_it_is_closed_and_never_keep_python_from_ending() -> None:
    before, workers = set(threading.enumerate()), list[threading.Thread]()
    hands = Hands(lambda _: workers.append(threading.current_thread()), 2)
    hands.give(1)
    assert hands.next(10) is not None
    hands.close()
    [worker] = workers
    assert worker.daemon
    worker.join(10)
    assert not worker.is_alive()
    assert worker not in before
