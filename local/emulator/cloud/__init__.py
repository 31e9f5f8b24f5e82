"""Rekey's local cloud: the MiniStack emulator, run strict, with the AWS behaviour that Rekey relies on and it lacks.

Each module with an `install()` function corrects one AWS service and names the documentation it follows.
The stack that is deployed knows nothing of any of this.
"""
