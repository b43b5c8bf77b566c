#!/usr/bin/env python3
"""Runs real clients, unmodified, against a server: job queues, locks, scripts, pub/sub.

Installs them (pip into a virtual environment, npm into a folder, both below --work), starts the server with --shards
shards on --port, lets every job of jobs/ do its work on an empty server, and fails if one fails:

    tests/clients/run.py                                # target/release/tessera, 4 shards
    tests/clients/run.py --server $(which redis-server) # what does the referee say?
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOBS = ["redis_py_job.py", "rq_job.py", "celery_job.py", "ioredis_job.js", "bullmq_job.js"]
JOB_LIMIT_S = 240


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=HERE.parents[1] / "target/release/tessera", help="the server's program")
    parser.add_argument("--shards", default="4", help="of Tessera")
    parser.add_argument("--port", type=int, default=21800)
    parser.add_argument("--work", type=Path, default=HERE.parents[1] / "target/clients", help="where clients are installed")
    parser.add_argument("jobs", nargs="*", default=JOBS, help="jobs to run")
    args = parser.parse_args()
    python = install(args.work)
    failed = [job for job in args.jobs if not run(args, python, job)]
    print(f"{len(args.jobs) - len(failed)} of {len(args.jobs)} clients are content")
    return bool(failed)


def install(work):
    """The clients of requirements.txt and package.json; the interpreter that sees the former."""
    work.mkdir(parents=True, exist_ok=True)
    python = work / "python/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "python"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    shutil.copy(HERE / "package.json", work)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=work, check=True)
    # Node looks for packages beside the program and above it.
    shutil.copytree(HERE / "jobs", work / "jobs", dirs_exist_ok=True)
    return python


def run(args, python, job):
    """One job on an empty server; whether it ended well."""
    options = [] if "redis" in Path(args.server).name else ["--shards", args.shards]
    command = [args.server, "--port", str(args.port), "--save", "", *options]
    log = args.work / "server.log"
    began = time.monotonic()
    with open(log, "wb") as output, subprocess.Popen(command, stdout=output, cwd=args.work) as server:
        try:
            wait_for(args.port, server)
            program = python if job.endswith(".py") else "node"
            done = subprocess.run([program, args.work / "jobs" / job, str(args.port)], timeout=JOB_LIMIT_S).returncode == 0
            if server.poll() is not None:
                print(f"{job}: the server ended with {server.returncode}; its log is {log}")
                done = False
        except subprocess.TimeoutExpired:
            print(f"{job}: not done after {JOB_LIMIT_S} s")
            done = False
        finally:
            server.terminate()
    print(f"{'ok' if done else 'FAILED'} {job} ({time.monotonic() - began:.1f} s)", flush=True)
    return done


def wait_for(port, server):
    """Returns when the server accepts connections."""
    while server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"the server ended with {server.returncode}")


sys.exit(main())
