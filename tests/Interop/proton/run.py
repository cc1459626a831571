#!/usr/bin/python3
"""Proton's Python binding over AMQP 1.0, and pika on the other side of a message. See interop_harness for the arguments."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-harness"))

import interop_harness

import example_scenarios  # noqa: F401 - registers its scenarios
import connection_scenarios  # noqa: F401 - registers its scenarios
import message_scenarios  # noqa: F401 - registers its scenarios
import address_scenarios  # noqa: F401 - registers its scenarios
import settlement_scenarios  # noqa: F401 - registers its scenarios
import source_scenarios  # noqa: F401 - registers its scenarios
import flow_scenarios  # noqa: F401 - registers its scenarios
import transaction_scenarios  # noqa: F401 - registers its scenarios
import management_scenarios  # noqa: F401 - registers its scenarios
import crossing_scenarios  # noqa: F401 - registers its scenarios

sys.exit(interop_harness.main())
