"""Lambda's Node.js execution environment, as AWS documents it.

- The thrown error's class reaches the caller as ``errorType`` with ``errorMessage`` and ``trace``:
  https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
- An error of the handler leaves the environment warm; a crash, an exit or a timeout ends it:
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
- The environment variables are the documented ones, the function's own, and what a client needs to reach
  this endpoint; nothing of the emulator's own environment:
  https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
- Credentials belong to the execution role, differ per environment and outlive it:
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
- Every line that was written before the answer is in the invocation's log:
  https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
"""

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

from ministack.core import lambda_runtime, tls
from ministack.services import lambda_svc

from . import lambda_worker, service_roles

# The environment ends long before its credentials do, so no client in it can hold expired ones.
_CREDENTIAL_SECONDS = 12 * 3600
_ENVIRONMENT_SECONDS = 6 * 3600
# How many Node.js processes may exist; beyond it the longest idle one is ended, as AWS reclaims idle environments.
_MAX_ENVIRONMENTS = int(os.environ.get("LAMBDA_MAX_ENVIRONMENTS", "16"))
# The Init phase is limited to 10 seconds, and repeated under the function's own timeout.
_INIT_SECONDS = 10.0
_LOG_SECONDS = 1.0

# Not to be set by a function's configuration: reserved by Lambda.
_RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})
# What makes two configurations need different environments.
_SPAWN_KEYS = ("Role", "Runtime", "Handler", "Timeout", "MemorySize", "Environment", "Layers", "CodeSha256")


def _fingerprint(config: dict) -> str:
    return json.dumps([config.get(key) for key in _SPAWN_KEYS], sort_keys=True, default=str)


def _endpoint_variables() -> dict[str, str]:
    """What an AWS client needs to find this endpoint and to trust its certificate."""
    port = os.environ.get("GATEWAY_PORT", os.environ.get("EDGE_PORT", "4566"))
    secure = tls.use_ssl_enabled()
    host = os.environ.get("MINISTACK_HOST") or "127.0.0.1"
    trust: dict[str, str] = {}
    if os.environ.get("NODE_EXTRA_CA_CERTS"):
        trust["NODE_EXTRA_CA_CERTS"] = os.environ["NODE_EXTRA_CA_CERTS"]
    elif secure:
        tls.trust_gateway_cert(trust)
    variables = {name: value for name, value in trust.items() if name == "NODE_EXTRA_CA_CERTS"}
    variables["AWS_ENDPOINT_URL"] = f"{'https' if secure else 'http'}://{host.split(':')[0]}:{port}"
    # The emulator has no host names below its own that a modelled prefix could resolve to.
    variables[lambda_runtime.HOST_PREFIX_ENV] = "true"
    return variables


def _credentials(config: dict) -> dict[str, str]:
    if not service_roles.enforced() or not config.get("Role"):
        return lambda_runtime.execution_credentials(config)
    session = service_roles.open_session(config["Role"], config.get("FunctionName", "function"), _CREDENTIAL_SECONDS)
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


class NodeEnvironment(lambda_runtime.Worker):
    """One execution environment: a Node.js process that serves one invocation at a time."""

    def __init__(self, func_name: str, config: dict, code_zip: bytes):
        super().__init__(func_name, config, code_zip)
        self.fingerprint = _fingerprint(config)
        self.created = time.time()
        self._answers: queue.Queue = queue.Queue()
        self._sequence = 0

    def stale(self, config: dict) -> bool:
        """Whether an invocation under ``config`` needs a new environment."""
        return self.fingerprint != _fingerprint(config) or time.time() - self.created > _ENVIRONMENT_SECONDS

    # -- start -----------------------------------------------------------

    def _unpack(self) -> tuple[str, list[str]]:
        self._discard_tmpdir()
        self._tmpdir = tempfile.mkdtemp(prefix=f"lambda-{self.func_name[:40]}-")
        task_root = os.path.join(self._tmpdir, "task")
        with zipfile.ZipFile(io.BytesIO(self.code_zip)) as archive:
            archive.extractall(task_root)
        module_paths = []
        for index, layer in enumerate(self.config.get("Layers") or []):
            content = lambda_svc._resolve_layer_zip(layer)
            if content:
                layer_root = os.path.join(self._tmpdir, f"layer-{index}")
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(layer_root)
                module_paths.append(os.path.join(layer_root, "nodejs", "node_modules"))
        return task_root, module_paths

    def _variables(self, task_root: str, module_paths: list[str]) -> dict[str, str]:
        config = self.config
        name = config.get("FunctionName", self.func_name)
        _account, region = lambda_runtime._account_region_from_function_config(config)
        own = (config.get("Environment") or {}).get("Variables") or {}
        return {
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "NODE_PATH": os.pathsep.join([*module_paths, "/opt/nodejs/node_modules", task_root]),
            **_endpoint_variables(),
            **{key: value for key, value in own.items() if key not in _RESERVED},
            "_HANDLER": config.get("Handler", "index.handler"),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'nodejs')}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]") + os.urandom(16).hex(),
            "LAMBDA_TASK_ROOT": task_root,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            **_credentials(config),
        }

    def _spawn(self):
        failure = self._start()
        if failure is not None:
            raise RuntimeError(failure["errorMessage"])

    def _start(self) -> dict | None:
        """Start the process and run the function's initialisation; its error, or None."""
        task_root, module_paths = self._unpack()
        script = os.path.join(self._tmpdir, "runtime.cjs")
        with open(script, "w", encoding="utf-8") as file:
            file.write(lambda_worker.script())
        memory = int(self.config.get("MemorySize", 128))
        module_name, handler_name = self.config.get("Handler", "index.handler").rsplit(".", 1)
        variables = self._variables(task_root, module_paths)
        node = shutil.which("node")
        if node is None:
            return {"errorType": "Runtime.ExitError", "errorMessage": "no `node` on the emulator's PATH"}
        self._proc = subprocess.Popen(
            [node, f"--max-old-space-size={memory * 9 // 10}", f"--max-semi-space-size={max(1, memory // 40)}", script],
            cwd=task_root, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", bufsize=1)
        self._answers = queue.Queue()
        self._stderr_queue = queue.Queue()
        self._sequence = 0
        threading.Thread(target=self._read_answers, args=(self._proc, self._answers), daemon=True).start()
        self._stderr_thread = threading.Thread(
            target=self._read_log, args=(self._proc, self._stderr_queue), daemon=True)
        self._stderr_thread.start()
        answer = self._ask({
            "code_dir": task_root, "module": module_name, "handler": handler_name, "env": variables,
            "function_name": variables["AWS_LAMBDA_FUNCTION_NAME"], "memory": memory,
            "arn": self.config.get("FunctionArn", ""),
        }, _INIT_SECONDS + float(self.config.get("Timeout", 3)))
        self._start_time = time.time()
        if answer is None:
            return self._exit_error("Runtime exited during initialisation", "")
        if answer.get("status") == "late":
            return {"errorType": "Sandbox.Timedout", "errorMessage": "Init phase timed out"}
        return None if answer.get("status") == "ready" else answer["failure"]

    # -- the two pipes ---------------------------------------------------

    @staticmethod
    def _read_answers(process, answers: queue.Queue) -> None:
        for line in process.stdout:
            sequence, _, text = line.partition(" ")
            if sequence.isdigit() and text.startswith("{"):
                answers.put((int(sequence), json.loads(text)))
        answers.put((None, None))

    @staticmethod
    def _read_log(process, lines: queue.Queue) -> None:
        for line in process.stderr:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def _ask(self, message: dict, seconds: float) -> dict | None:
        """The answer to one message; None when the process ended, status ``late`` when there was none in time."""
        self._sequence += 1
        deadline = time.monotonic() + seconds
        try:
            self._proc.stdin.write(json.dumps(message) + "\n")
            self._proc.stdin.flush()
        except (BrokenPipeError, OSError):
            return None
        while True:
            try:
                sequence, answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return {"status": "late"}
            if sequence is None:
                return None
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

    # -- one invocation --------------------------------------------------

    def _end(self) -> int | None:
        """End the process at once, as AWS ends a sandbox; its exit status."""
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
            try:
                status = self._proc.wait(timeout=1)
            except subprocess.TimeoutExpired:
                pass
        self._end()
        if status is not None and status < 0:
            reason = f"Runtime exited with error: signal: {-status}"
        elif status:
            reason = f"Runtime exited with error: exit status {status}"
        return {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {reason}"}

    def invoke(self, event, request_id: str, *, trace_id: str | None = None, depth=None,
               durable: dict | None = None, invoked_function_arn: str | None = None) -> dict:
        """Run one invocation; ``status`` is ``ok`` with ``result`` or ``error`` with ``failure``, always with ``log``."""
        with self._lock:
            if self._proc is None or self._proc.poll() is not None:
                failure = self._start()
                self._cold = False
                if failure is not None:
                    self._end()
                    return {"status": "error", "failure": failure, "log": self._log(ended=True)}
            timeout = float(self.config.get("Timeout", 3))
            answer = self._ask({"event": event, "ctx": {
                "request_id": request_id,
                "invoked_function_arn": invoked_function_arn or self.config.get("FunctionArn", ""),
                "timeout_ms": int(timeout * 1000), "trace_id": trace_id, "depth": depth, "durable": durable or {},
            }}, timeout)
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


# ---------------------------------------------------------------------------
# The pool
# ---------------------------------------------------------------------------

def _drop(environment) -> None:
    with lambda_runtime._lock:
        for key, entries in list(lambda_runtime._workers.items()):
            if environment in entries:
                entries.remove(environment)
                if not entries:
                    del lambda_runtime._workers[key]
    lambda_runtime.kill_workers([environment])


def _make_room() -> None:
    """End idle environments while there are more than the machine should hold: what a burst left over first."""
    with lambda_runtime._lock:
        every = [(key, worker, index == 0) for key, entries in lambda_runtime._workers.items()
                 for index, worker in enumerate(entries)]
        idle = sorted((entry for entry in every if not entry[1].in_use), key=lambda e: (e[2], e[1].last_used))
        ended = idle[:max(0, len(every) - _MAX_ENVIRONMENTS)]
        for key, worker, _first in ended:
            lambda_runtime._workers[key].remove(worker)
            if not lambda_runtime._workers[key]:
                del lambda_runtime._workers[key]
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
    """Give ``nodejs*`` functions the environment above; other runtimes keep the emulator's."""
    worker_class_for = lambda_runtime._worker_class_for
    execute_warm = lambda_svc._execute_function_warm

    def is_node(config: dict) -> bool:
        return str(config.get("Runtime", "")).startswith("nodejs")

    def _worker_class_for(config: dict):
        return NodeEnvironment if is_node(config) else worker_class_for(config)

    def _execute_function_warm(func: dict, event: dict, request_id: str) -> dict:
        config = func.get("config") or func
        if not is_node(config) or not func.get("code_zip"):
            return execute_warm(func, event, request_id)
        lambda_svc._ensure_reaper_thread()
        environment = _acquire(config.get("FunctionName", "unknown"), config, func["code_zip"],
                               config.get("Version", "$LATEST"))
        try:
            outcome = environment.invoke(
                event, request_id, trace_id=lambda_svc._xray_trace_id_for_invocation(config),
                invoked_function_arn=config.get("FunctionArn", ""), depth=lambda_svc._invoke_depth.get(),
                durable=lambda_svc._durable_env_overlay())
        finally:
            environment.last_used = time.time()
            lambda_runtime.release_worker(environment)
        if outcome["status"] == "ok":
            return {"body": outcome.get("result"), "log": outcome["log"]}
        return {"body": outcome["failure"], "error": True, "function_error": "Unhandled", "log": outcome["log"]}

    lambda_runtime._worker_class_for = _worker_class_for
    lambda_svc._execute_function_warm = _execute_function_warm
