"""Runs the steps of one of AWS's rotation functions, unmodified: a JSON line in for each step, a JSON line out."""

import importlib.util
import json
import logging
import sys

specification = importlib.util.spec_from_file_location("lambda_function", sys.argv[1])
function = importlib.util.module_from_spec(specification)
specification.loader.exec_module(function)
logging.getLogger().setLevel(logging.CRITICAL)

for line in sys.stdin:
    try:
        function.lambda_handler(json.loads(line), None)
        answer = {"done": True}
    except Exception as error:  # What a Lambda invocation would end with.
        answer = {"done": False, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
