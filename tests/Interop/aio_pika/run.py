#!/usr/bin/python3
"""aio-pika. See interop_harness for the arguments."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python-harness"))

import interop_harness

import aio_pika_scenarios  # noqa: F401 - registers its scenarios
import aio_pika_queue_features  # noqa: F401 - registers its scenarios

sys.exit(interop_harness.main())
