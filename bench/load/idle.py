#!/usr/bin/env python3
"""Opens idle AMQP 0-9-1 connections, each with one channel and one consumer, and holds them until its standard input closes."""
import argparse
import resource
import socket
import struct
import sys

CONNECTION_START, CONNECTION_START_OK = (10, 10), (10, 11)
CONNECTION_TUNE, CONNECTION_TUNE_OK = (10, 30), (10, 31)
CONNECTION_OPEN, CONNECTION_OPEN_OK, CONNECTION_CLOSE = (10, 40), (10, 41), (10, 50)
CHANNEL_OPEN, CHANNEL_OPEN_OK, CHANNEL_CLOSE = (20, 10), (20, 11), (20, 40)
QUEUE_DECLARE, QUEUE_DECLARE_OK = (50, 10), (50, 11)
BASIC_CONSUME, BASIC_CONSUME_OK = (60, 20), (60, 21)
AUTO_DELETE, NO_ACK = 8, 2
EMPTY_TABLE = bytes(4)


def short_string(text):
    data = text.encode()
    return bytes([len(data)]) + data


def long_string(data):
    return struct.pack(">I", len(data)) + data


def method_frame(channel, method, arguments):
    payload = struct.pack(">HH", *method) + arguments
    return struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise ConnectionError("the broker closed the connection")
        data += part
    return data


def expect(sock, wanted):
    """Reads frames up to the wanted method and returns its arguments."""
    while True:
        kind, _, size = struct.unpack(">BHI", read_exactly(sock, 7))
        payload = read_exactly(sock, size + 1)[:-1]
        if kind != 1:
            continue
        method = struct.unpack(">HH", payload[:4])
        if method == wanted:
            return payload[4:]
        if method in (CONNECTION_CLOSE, CHANNEL_CLOSE):
            raise ConnectionError("closed by the broker: " + payload[7:7 + payload[6]].decode(errors="replace"))


def call(sock, channel, request, arguments, reply):
    sock.sendall(method_frame(channel, request, arguments))
    return expect(sock, reply)


def greet(port, host="127.0.0.1", timeout=30):
    """Connects, sends the protocol header and returns the socket and the arguments of connection.start."""
    sock = socket.create_connection((host, port), timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"AMQP\x00\x00\x09\x01")
        return sock, expect(sock, CONNECTION_START)
    except BaseException:
        sock.close()
        raise


def open_channel(port, user="guest", password="guest"):
    """Connects and opens channel 1, without heartbeats."""
    sock, _ = greet(port)
    login = long_string(b"\0" + user.encode() + b"\0" + password.encode())
    tune = call(sock, 0, CONNECTION_START_OK, EMPTY_TABLE + short_string("PLAIN") + login + short_string("en_US"), CONNECTION_TUNE)
    channels, frame_max = struct.unpack(">HI", tune[:6])
    heartbeat = 0
    sock.sendall(method_frame(0, CONNECTION_TUNE_OK, struct.pack(">HIH", channels, frame_max, heartbeat)))
    call(sock, 0, CONNECTION_OPEN, short_string("/") + b"\0\0", CONNECTION_OPEN_OK)
    call(sock, 1, CHANNEL_OPEN, b"\0", CHANNEL_OPEN_OK)
    return sock


def open_consumer(port, queue):
    sock = open_channel(port)
    call(sock, 1, QUEUE_DECLARE, b"\0\0" + short_string(queue) + bytes([AUTO_DELETE]) + EMPTY_TABLE, QUEUE_DECLARE_OK)
    call(sock, 1, BASIC_CONSUME, b"\0\0" + short_string(queue) + short_string("") + bytes([NO_ACK]) + EMPTY_TABLE, BASIC_CONSUME_OK)
    return sock


def allow_open_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise OSError(f"needs {count} open files, the hard limit (ulimit -Hn) is {hard}")
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--queue", default="idle", help="the queue that all of them consume from")
    options = parser.parse_args()
    try:
        allow_open_files(options.connections + 64)
        held = [open_consumer(options.port, options.queue) for _ in range(options.connections)]
    except OSError as error:
        sys.exit(f"idle: {error}")
    print(f"{len(held)} connections open", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
