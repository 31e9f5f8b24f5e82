"""The environment variables of Lambda's Node.js execution environment.

They are the documented ones, the function's own, and what a client needs to reach this endpoint; nothing of the
emulator's own environment. Credentials belong to the execution role, differ per environment and outlive it.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

import os
import time

from ministack.core import lambda_runtime, tls

from cloud import seams, service_roles

# An environment ends long before its credentials do, so no client in it can hold expired ones.
_CREDENTIAL_SECONDS = 12 * 3600
# Not to be set by a function's configuration: reserved by Lambda.
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)


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


def variables(name: str, config: dict, task_root: str, module_paths: list[str]) -> dict[str, str]:
    """The environment variables of a function whose code is unpacked in `task_root`."""
    name = config.get("FunctionName", name)
    _account, region = seams.lambda_runtime.account_region_from_function_config(config)
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
