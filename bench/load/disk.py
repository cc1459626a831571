#!/usr/bin/env python3
"""Measures what a disk itself takes to make 4 KiB durable: they are written into a file that was zeroed before, and synced with fdatasync.

One at a time, at a given rate or, when the disk is slower than that, as fast as it can.
"""
import argparse
import os
import tempfile
import time

BLOCK = 4096
FILE_BLOCKS = 8192  # 32 MiB, written round and round
MIB = 1 << 20


def write_zeros(file, size):
    for offset in range(0, size, MIB):
        os.pwrite(file, bytes(MIB), offset)
    os.fsync(file)


def timed_writes(file, rate, seconds):
    block = os.urandom(BLOCK)
    times = []
    began = now = time.perf_counter()
    while now - began < seconds:
        due = began + len(times) / rate
        if due > now:
            time.sleep(due - now)
        start = time.perf_counter()
        os.pwrite(file, block, len(times) % FILE_BLOCKS * BLOCK)
        os.fdatasync(file)
        now = time.perf_counter()
        times.append(now - start)
    return times, now - began


def measure(directory, rate=2000, seconds=4):
    """Milliseconds of a write with its fdatasync, and how many there were in a second."""
    with tempfile.TemporaryFile(dir=directory) as file:
        write_zeros(file.fileno(), BLOCK * FILE_BLOCKS)
        times, elapsed = timed_writes(file.fileno(), rate, seconds)
    times.sort()
    quantile = {name: times[min(len(times) - 1, int(len(times) * part))] * 1000 for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99), ("p999_ms", 0.999))}
    return quantile | {"max_ms": times[-1] * 1000, "per_second": len(times) / elapsed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", default=".")
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    figures = measure(options.directory, options.rate, options.seconds)
    print("4 KiB and fdatasync: p50 {p50_ms:.3f} ms, p99 {p99_ms:.3f}, p99.9 {p999_ms:.3f}, max {max_ms:.1f}; {per_second:,.0f}/s".format(**figures))


if __name__ == "__main__":
    main()
