"""What the scripts in bench/ share: processes that end with the script, a broker to start and stop, the load generator, and the report."""
import ctypes
import datetime
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import idle as idle_client

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
HANG_SECONDS = 30


class BenchError(Exception):
    """Something that the user has to know and that ends the script."""


class RunFailed(Exception):
    """One run gave no result; the others still count."""


def note(text):
    print(text, file=sys.stderr, flush=True)


# ---- processes ----

def die_with_parent():
    """Runs in a child before its exec: even a killed script leaves no broker behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def start_process(command, **keywords):
    return subprocess.Popen([str(part) for part in command], start_new_session=True, preexec_fn=die_with_parent, **keywords)


def stop_process(process, patience=10):
    if process is None:
        return
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_tool(command, what):
    """Runs a build step that is silent unless it fails."""
    outcome = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
    if outcome.returncode:
        raise BenchError(f"{what} failed:\n{outcome.stdout.strip()}")


def require(tool, advice):
    if not shutil.which(tool):
        raise BenchError(f"{tool} is missing: {advice}")


_handed_out = set()


def free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def raise_open_file_limit():
    """Children inherit it: a broker with a thousand connections needs more than the usual soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def resident_kib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- brokers ----

class Broker:
    """A process that serves AMQP on a port of its own, with its files in a directory of its own."""

    title = ""
    ready_seconds = 60
    ready_poll_seconds = 0.1

    def __init__(self, name, temp):
        self.name = name
        self.directory = temp / name
        self.port = self.process = None
        self.starts = 0
        self.version = ""

    def start(self):
        self.starts += 1
        self.port = free_port()
        home = self.directory / f"start-{self.starts}"
        home.mkdir(parents=True)
        self.log = home / "output.log"
        command, environment = self.command(home)
        with open(self.log, "wb") as output:
            self.process = start_process(command, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.wait_until_ready()
        self.version = self.version or self.reported_version()

    def command(self, home):
        raise NotImplementedError

    @property
    def pid(self):
        return self.process.pid

    def is_ready(self):
        return f"127.0.0.1:{self.port}" in self.log.read_text(errors="replace")

    def wait_until_ready(self):
        deadline = time.monotonic() + self.ready_seconds
        while not self.is_ready():
            if self.process.poll() is not None:
                raise BenchError(f"{self.title} ended with code {self.process.returncode} while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.title} is not ready after {self.ready_seconds} s:\n{self.log_tail()}")
            time.sleep(self.ready_poll_seconds)

    def answers(self):
        """Whether a client that connects is greeted."""
        try:
            sock, _ = idle_client.greet(self.port, timeout=5)
        except OSError:
            return False
        sock.close()
        return True

    def reported_version(self):
        sock, start = idle_client.greet(self.port)
        sock.close()
        # Harrier's own version stands beside the one that it is compatible with.
        own = re.search(rb"\x0eserver_versionS\x00\x00\x00(.)", start, re.S)
        found = own or re.search(rb"\x07versionS\x00\x00\x00(.)", start, re.S)
        return start[found.end():found.end() + found.group(1)[0]].decode() if found else ""

    def log_tail(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self):
        stop_process(self.process)
        self.process = None

    def restart(self):
        self.stop()
        self.start()


class Harrier(Broker):
    title = "Harrier"

    def command(self, home):
        return [self.directory / "app" / "harrier", "serve", "--port", self.port, "--bind", "127.0.0.1", "--data", self.data(home)], None

    def data(self, home):
        """The data directory: every start begins with nothing."""
        return home / "data"

    def build(self):
        publish(ROOT / "src" / "Harrier", self.directory / "app")


def publish(project, output):
    require("dotnet", "install the .NET 10 SDK")
    run_tool(["dotnet", "publish", project, "-c", "Release", "-o", output, "-nologo", "-v", "quiet"], f"publishing {project.name}")


# ---- load ----

@dataclass(frozen=True)
class Result:
    published: float
    consumed: float
    p50_ms: float
    p99_ms: float
    confirm_p50_ms: float  # 0 without confirms
    confirm_p99_ms: float
    broker_cpu_us: float  # per message consumed, or published when nobody consumes
    tool_cpu_us: float
    broker_rss_mib: int
    seconds: float


def build_rawload(temp):
    require("g++", "install a C++20 compiler (Debian: apt-get install g++)")
    tool = temp / "rawload"
    run_tool(["g++", "-O2", "-std=c++20", "-pthread", "-o", tool, BENCH / "load" / "rawload.cpp"], "building rawload")
    return tool


RAWLOAD_LINE = re.compile(
    r"pub\s+(?P<published>\S+)/s con\s+(?P<consumed>\S+)/s .*?e2e ms p50 (?P<p50>\S+) p99 (?P<p99>\S+) .*?"
    r"confirm ms p50 (?P<confirm_p50>\S+) p99 (?P<confirm_p99>\S+) .*?"
    r"cpu tool (?P<tool>\S+)s broker (?P<broker>\S+)s of (?P<elapsed>\S+)s \| broker rss (?P<rss>\d+) MB")


def parse_rawload(line):
    found = RAWLOAD_LINE.search(line)
    if not found:
        raise RunFailed(f"rawload printed {line.strip()!r}")
    value = {name: float(text) for name, text in found.groupdict().items()}
    messages = (value["consumed"] or value["published"]) * value["elapsed"]
    if not messages:
        raise RunFailed("no message passed")
    return Result(published=value["published"], consumed=value["consumed"], p50_ms=value["p50"], p99_ms=value["p99"],
                  confirm_p50_ms=value["confirm_p50"], confirm_p99_ms=value["confirm_p99"],
                  broker_cpu_us=value["broker"] / messages * 1e6, tool_cpu_us=value["tool"] / messages * 1e6,
                  broker_rss_mib=int(value["rss"]), seconds=value["elapsed"])


def run_rawload(tool, broker, options, patience):
    """One run of the load generator, which is given up after so many seconds; what it complains about is a failure."""
    command = [tool, "-port", broker.port, "-pid", broker.pid, *options.split()]
    load = start_process(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = load.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        raise RunFailed("rawload did not end, a connection hangs") from None
    finally:
        stop_process(load)
    if load.returncode or errors.strip():
        raise RunFailed(errors.strip() or f"rawload ended with code {load.returncode}")
    return parse_rawload(output)


# ---- report ----

def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(part, whole):
    return f"{part / whole:.2f}" if part is not None and whole else "-"


def table(rows, words=2):
    """A Markdown table; the first columns hold words, the others numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(row):
        cells = [cell.ljust(width) if column < words else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) if column < words else "-" * (width + 1) + ":" for column, width in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def dotnet_versions():
    sdk = subprocess.run(["dotnet", "--version"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    listed = subprocess.run(["dotnet", "--list-runtimes"], cwd=ROOT, capture_output=True, text=True).stdout
    runtimes = re.findall(r"^Microsoft\.NETCore\.App (\S+)", listed, re.M)
    return f".NET SDK {sdk}, runtime {runtimes[-1] if runtimes else 'unknown'}"


def machine():
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": len(os.sched_getaffinity(0)), "model": model.group(1) if model else platform.machine(), "memory_gib": round(memory),
            "kernel": platform.release(), "dotnet": dotnet_versions()}


def machine_line(about, date, versions):
    software = "".join(f", {title} {version}" for title, version in versions.items() if version)
    return f"Machine: {about['cores']} cores, {about['model']}, {about['memory_gib']} GiB, Linux {about['kernel']}, {about['dotnet']}{software}. {date}."


def today():
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")


def warn_if_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        note(f"the machine is busy (load average {load:.1f}): compare ratios, not figures")


def write_json(path, document):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


# ---- the script itself ----

def temporary_directory(name):
    """Is deleted at the end, and is on the disk that holds the repository: data that a broker keeps in memory would tell nothing."""
    parent = Path(tempfile.gettempdir())
    if parent.stat().st_dev != ROOT.stat().st_dev:
        parent = ROOT / "out"
        parent.mkdir(exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=f"harrier-{name}-", dir=parent, ignore_cleanup_errors=True)


def end_on_signal(number, _):
    sys.exit(128 + number)


def run_script(name, work, options):
    """The exit code of work(options, temporary directory), or of why it ended early."""
    signal.signal(signal.SIGTERM, end_on_signal)
    signal.signal(signal.SIGHUP, end_on_signal)
    try:
        with temporary_directory(name) as temp:
            return work(options, Path(temp))
    except (BenchError, RunFailed, OSError) as error:
        note(f"{name}: {error}")
        return 2
    except KeyboardInterrupt:
        note(f"{name}: interrupted")
        return 130
