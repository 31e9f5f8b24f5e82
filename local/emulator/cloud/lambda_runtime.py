"""Lambda's Node.js execution environment, as AWS documents it.

- The thrown error's class reaches the caller as ``errorType`` with ``errorMessage`` and ``trace``:
  https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
- An error of the handler leaves the environment warm; a crash, an exit or a timeout ends it:
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
- Every line that was written before the answer is in the invocation's log:
  https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
"""

import contextlib
import io
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from typing import Any

from ministack.core import lambda_runtime

from cloud import lambda_variables, lambda_worker, seams

# Half as long as the credentials of `lambda_variables.py` are valid.
_ENVIRONMENT_SECONDS = 6 * 3600
# How many Node.js processes may exist; beyond it the longest idle one is ended, as AWS reclaims idle environments.
_MAX_ENVIRONMENTS = int(os.environ.get("LAMBDA_MAX_ENVIRONMENTS", "16"))
# The Init phase is limited to 10 seconds, and repeated under the function's own timeout.
_INIT_SECONDS = 10.0
_LOG_SECONDS = 1.0

# What makes two configurations need different environments.
_SPAWN_KEYS = ("Role", "Runtime", "Handler", "Timeout", "MemorySize", "Environment", "Layers", "CodeSha256")


def _fingerprint(config: dict) -> str:
    return json.dumps([config.get(key) for key in _SPAWN_KEYS], sort_keys=True, default=str)


# Typed as anything, since what it sets to None at first would be None for ever to a type checker.
_Worker: Any = seams.lambda_runtime.Worker


class NodeEnvironment(_Worker):
    """One execution environment: a Node.js process that serves one invocation at a time."""

    _proc: subprocess.Popen[str] | None
    _stderr_queue: queue.Queue[str | None]

    def __init__(self, func_name: str, config: dict, code_zip: bytes):
        super().__init__(func_name, config, code_zip)
        self.fingerprint = _fingerprint(config)
        self.created = time.time()
        self._answers: queue.Queue[tuple[int, dict] | None] = queue.Queue()
        self._sequence = 0

    def stale(self, config: dict) -> bool:
        """Whether an invocation under ``config`` needs a new environment."""
        return self.fingerprint != _fingerprint(config) or time.time() - self.created > _ENVIRONMENT_SECONDS

    def _unpack(self) -> tuple[str, list[str]]:
        self._discard_tmpdir()
        self._tmpdir = tempfile.mkdtemp(prefix=f"lambda-{self.func_name[:40]}-")
        task_root = os.path.join(self._tmpdir, "task")
        with zipfile.ZipFile(io.BytesIO(self.code_zip)) as archive:
            archive.extractall(task_root)
        module_paths = []
        for index, layer in enumerate(self.config.get("Layers") or []):
            content = seams.lambda_svc.resolve_layer_zip(layer)
            if content:
                layer_root = os.path.join(self._tmpdir, f"layer-{index}")
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(layer_root)
                module_paths.append(os.path.join(layer_root, "nodejs", "node_modules"))
        return task_root, module_paths

    def _spawn(self):
        failure = self._start()
        if failure is not None:
            raise RuntimeError(failure["errorMessage"])

    def _start(self) -> dict | None:
        """Starts the process and runs the function's initialisation; its error, or None."""
        task_root, module_paths = self._unpack()
        script = os.path.join(self._tmpdir, "runtime.cjs")
        with open(script, "w", encoding="utf-8") as file:
            file.write(lambda_worker.script())
        memory = int(self.config.get("MemorySize", 128))
        module_name, handler_name = self.config.get("Handler", "index.handler").rsplit(".", 1)
        variables = lambda_variables.variables(self.func_name, self.config, task_root, module_paths)
        node = shutil.which("node")
        if node is None:
            return {"errorType": "Runtime.ExitError", "errorMessage": "no `node` on the emulator's PATH"}
        self._proc = subprocess.Popen(
            [node, f"--max-old-space-size={memory * 9 // 10}", f"--max-semi-space-size={max(1, memory // 40)}", script],
            cwd=task_root,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            bufsize=1,
        )
        self._answers = queue.Queue()
        self._stderr_queue = queue.Queue()
        self._sequence = 0
        threading.Thread(target=self._read_answers, args=(self._proc, self._answers), daemon=True).start()
        self._stderr_thread = threading.Thread(
            target=self._read_log, args=(self._proc, self._stderr_queue), daemon=True
        )
        self._stderr_thread.start()
        answer = self._ask(
            {
                "code_dir": task_root,
                "module": module_name,
                "handler": handler_name,
                "env": variables,
                "function_name": variables["AWS_LAMBDA_FUNCTION_NAME"],
                "memory": memory,
                "arn": self.config.get("FunctionArn", ""),
            },
            _INIT_SECONDS + float(self.config.get("Timeout", 3)),
        )
        self._start_time = time.time()
        if answer is None:
            return self._exit_error("Runtime exited during initialisation", "")
        if answer.get("status") == "late":
            return {"errorType": "Sandbox.Timedout", "errorMessage": "Init phase timed out"}
        return None if answer.get("status") == "ready" else answer["failure"]

    @staticmethod
    def _read_answers(process, answers: queue.Queue) -> None:
        for line in process.stdout:
            sequence, _, text = line.partition(" ")
            if sequence.isdigit() and text.startswith("{"):
                answers.put((int(sequence), json.loads(text)))
        answers.put(None)

    @staticmethod
    def _read_log(process, lines: queue.Queue) -> None:
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def _ask(self, message: dict, seconds: float) -> dict | None:
        """The answer to one message; None when the process ended, status ``late`` when there was none in time."""
        self._sequence += 1
        deadline = time.monotonic() + seconds
        if self._proc is None or self._proc.stdin is None:
            return None
        try:
            self._proc.stdin.write(json.dumps(message) + "\n")
            self._proc.stdin.flush()
        except (BrokenPipeError, OSError):
            return None
        while True:
            try:
                told = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return {"status": "late"}
            if told is None:
                return None
            sequence, answer = told
            # An answer to an earlier message came after its invocation had ended.
            if sequence == self._sequence:
                return answer

    def _log(self, ended: bool) -> str:
        """The log up to the mark that the worker writes before it answers, or to the end of an ended process."""
        mark = f"{lambda_worker.MARK}{self._sequence}"
        lines = []
        deadline = time.monotonic() + _LOG_SECONDS
        while True:
            try:
                line = self._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                break
            text, found, _ = line.partition(mark)
            earlier, _, _ = text.partition(lambda_worker.MARK)
            if earlier or not (found or lambda_worker.MARK in text):
                lines.append(earlier)
            if found and not ended:
                break
        return "\n".join(lines)

    def _end(self) -> int | None:
        """Ends the process at once, as AWS ends a sandbox; its exit status."""
        process, self._proc = self._proc, None
        if process is None:
            return None
        if process.poll() is None:
            process.kill()
        try:
            return process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None

    def _exit_error(self, reason: str, request_id: str) -> dict:
        status = None
        if self._proc is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._proc.wait(timeout=1)
        self._end()
        if status is not None and status < 0:
            reason = f"Runtime exited with error: signal: {-status}"
        elif status:
            reason = f"Runtime exited with error: exit status {status}"
        return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {reason}"}

    def invoke(
        self,
        event,
        request_id: str,
        *,
        trace_id: str | None = None,
        depth=None,
        durable: dict | None = None,
        invoked_function_arn: str | None = None,
    ) -> dict:
        """Runs one invocation; `status` is `ok` with `result`, or `error` with `failure`; always with `log`."""
        with self._lock:
            if self._proc is None or self._proc.poll() is not None:
                failure = self._start()
                self._cold = False
                if failure is not None:
                    self._end()
                    return {"status": "error", "failure": failure, "log": self._log(ended=True)}
            timeout = float(self.config.get("Timeout", 3))
            answer = self._ask(
                {
                    "event": event,
                    "ctx": {
                        "request_id": request_id,
                        "invoked_function_arn": invoked_function_arn or self.config.get("FunctionArn", ""),
                        "timeout_ms": int(timeout * 1000),
                        "trace_id": trace_id,
                        "depth": depth,
                        "durable": durable or {},
                    },
                },
                timeout,
            )
            if answer is None:
                failure = self._exit_error("Runtime exited without providing a reason", request_id)
                log = self._log(ended=True)
                return {"status": "error", "failure": failure, "log": f"{log}\n{failure['errorMessage']}".lstrip()}
            if answer["status"] == "late":
                self._end()
                message = f"Task timed out after {timeout:.2f} seconds"
                failure = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {message}"}
                log = self._log(ended=True)
                return {"status": "error", "failure": failure, "log": f"{log}\n{request_id} {message}".lstrip()}
            answer["log"] = self._log(ended=False)
            if answer.get("fatal"):
                self._end()
            return answer


def _drop(environment) -> None:
    with seams.lambda_runtime.lock:
        for key, entries in list(seams.lambda_runtime.workers.items()):
            if environment in entries:
                entries.remove(environment)
                if not entries:
                    del seams.lambda_runtime.workers[key]
    lambda_runtime.kill_workers([environment])


def _make_room() -> None:
    """Ends idle environments while there are more than the machine should hold: what a burst left over first."""
    with seams.lambda_runtime.lock:
        every = [
            (key, worker, index == 0)
            for key, entries in seams.lambda_runtime.workers.items()
            for index, worker in enumerate(entries)
        ]
        idle = sorted((entry for entry in every if not entry[1].in_use), key=lambda e: (e[2], e[1].last_used))
        ended = idle[: max(0, len(every) - _MAX_ENVIRONMENTS)]
        for key, worker, _first in ended:
            seams.lambda_runtime.workers[key].remove(worker)
            if not seams.lambda_runtime.workers[key]:
                del seams.lambda_runtime.workers[key]
    lambda_runtime.kill_workers([worker for _key, worker, _first in ended])


def _acquire(name: str, config: dict, code_zip: bytes, qualifier: str) -> NodeEnvironment:
    while True:
        environment, how = lambda_runtime.acquire_worker(name, config, code_zip, qualifier=qualifier)
        if how == "spawn":
            _make_room()
        if not environment.stale(config):
            return environment
        _drop(environment)


def install() -> None:
    """Gives ``nodejs*`` functions the environment above; other runtimes keep the emulator's."""
    worker_class_for = seams.lambda_runtime.worker_class_for
    execute_warm = seams.lambda_svc.execute_function_warm

    def is_node(config: dict) -> bool:
        return str(config.get("Runtime", "")).startswith("nodejs")

    def _worker_class_for(config: dict):
        return NodeEnvironment if is_node(config) else worker_class_for(config)

    def _execute_function_warm(func: dict, event: dict, request_id: str) -> dict:
        config = func.get("config") or func
        if not is_node(config) or not func.get("code_zip"):
            return execute_warm(func, event, request_id)
        seams.lambda_svc.ensure_reaper_thread()
        environment = _acquire(
            config.get("FunctionName", "unknown"), config, func["code_zip"], config.get("Version", "$LATEST")
        )
        try:
            outcome = environment.invoke(
                event,
                request_id,
                trace_id=seams.lambda_svc.xray_trace_id_for_invocation(config),
                invoked_function_arn=config.get("FunctionArn", ""),
                depth=seams.lambda_svc.invoke_depth.get(),
                durable=seams.lambda_svc.durable_env_overlay(),
            )
        finally:
            environment.last_used = time.time()
            lambda_runtime.release_worker(environment)
        if outcome["status"] == "ok":
            return {"body": outcome.get("result"), "log": outcome["log"]}
        return {"body": outcome["failure"], "error": True, "function_error": "Unhandled", "log": outcome["log"]}

    seams.lambda_runtime.replace(worker_class_for=_worker_class_for)
    seams.lambda_svc.replace(execute_function_warm=_execute_function_warm)
