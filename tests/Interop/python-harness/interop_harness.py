"""Scenario registry and command line shared by the Python runners.

    run.py --list              scenario names, one a line
    run.py URI NAME            runs one scenario; exit code 0 when it passed
    run.py URI all             runs every scenario in one process and prints
                               "ok NAME" or "FAILED NAME: cause" for each
"""

import asyncio
import inspect
import signal
import sys
import traceback
import uuid

SCENARIO_SECONDS = 15

_scenarios = {}


class Overdue(BaseException):
    """Not an Exception, so that no client library swallows it."""


def scenario(name):
    def register(function):
        if name in _scenarios:
            raise ValueError("two scenarios are called " + name)
        _scenarios[name] = function
        return function

    return register


def unique(kind):
    return "interop.{}.{}".format(kind, uuid.uuid4().hex[:12])


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(
            "{}: expected {}, got {}".format(what, _brief(expected), _brief(actual)))


def _brief(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"


def main():
    arguments = sys.argv[1:]
    if "--list" in arguments:
        print("\n".join(_scenarios))
        return 0
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2

    uri, wanted = arguments
    if wanted == "all":
        return _run_all(uri)
    if wanted not in _scenarios:
        print("no such scenario: " + wanted, file=sys.stderr)
        return 2
    return _run_one(uri, wanted)


def _run_all(uri):
    failures = 0
    for name in _scenarios:
        cause = _cause_of_failure(uri, name)
        if cause is None:
            print("ok " + name, flush=True)
        else:
            failures += 1
            print("FAILED {}: {}".format(name, cause), flush=True)
    return 1 if failures else 0


def _run_one(uri, name):
    cause = _cause_of_failure(uri, name)
    if cause is not None:
        print(cause)
        return 1
    return 0


def _cause_of_failure(uri, name):
    function = _scenarios[name]
    # The alarm is also a safety net for asyncio: it fires even when the event loop is stuck.
    # It repeats because the clean-up that follows the first one may hang as well.
    signal.signal(signal.SIGALRM, _raise_overdue)
    signal.setitimer(signal.ITIMER_REAL, SCENARIO_SECONDS, 2)
    try:
        if inspect.iscoroutinefunction(function):
            asyncio.run(asyncio.wait_for(function(uri), SCENARIO_SECONDS - 1))
        else:
            function(uri)
    except (Exception, Overdue, asyncio.CancelledError) as error:
        traceback.print_exc(file=sys.stderr)
        return _one_line(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _raise_overdue(_signal, _frame):
    raise Overdue("not finished after {} s".format(SCENARIO_SECONDS))


def _one_line(error):
    return " ".join("{}: {}".format(type(error).__name__, error).split())
