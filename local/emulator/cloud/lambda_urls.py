"""What a function's URL hands over of a browser's request.

Cookies stand in a list of their own, one each, and not among the headers:
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

from cloud import seams


def install() -> None:
    """Hands cookies over as AWS does."""
    build_event = seams.lambda_svc.build_function_url_event

    def _build_event(*args, **kwargs):
        event = build_event(*args, **kwargs)
        sent = event["headers"].pop("cookie", "")
        cookies = [cookie.strip() for cookie in sent.split(";") if cookie.strip()]
        return {**event, "cookies": cookies} if cookies else event

    seams.lambda_svc.replace(build_function_url_event=_build_event)
