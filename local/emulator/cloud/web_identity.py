"""Sessions for web identities: what STS checks of a token before the trust policy of a role is asked.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html: tokens are signed with RS256,
RS384, RS512, ES256, ES384 or ES512; the errors are ExpiredTokenException, IDPCommunicationError (the provider could not
be reached) and InvalidIdentityToken (also for a key that it does not publish,
https://repost.aws/knowledge-center/iam-sts-invalididentitytoken).
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html: there must be a provider of the
token's issuer in the account, whose client ids hold the audience; keys come from the issuer's discovery document, by
TLS alone. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html: the keys
`<issuer>:aud`, `:sub` and `:amr`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html: a trust policy for a
provider that many share must test the subject.

An issuer has no address of its own here: `POST /_rekey/issuers {"host": ..., "port": ..., "authority": PEM}` says at
which port of this machine it answers, and who signed its certificate, which must be for `host`.
"""

import asyncio
import base64
import contextvars
import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from ministack.core.responses import get_account_id

from cloud import clock, control, seams
from cloud.cloudformation import checked

PATH = "/_rekey/issuers"
TYPE = "AWS::IAM::OIDCProvider"

_HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES: dict[str, tuple[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1], int]] = {
    "ES256": ("P-256", ec.SECP256R1, 32),
    "ES384": ("P-384", ec.SECP384R1, 48),
    "ES512": ("P-521", ec.SECP521R1, 66),
}
# Seconds after which STS gives up waiting for a provider, and by which clocks may differ.
_PATIENCE = 5
_LEEWAY = 300
# Providers whose tokens every customer of theirs gets, so that only the subject tells one from another.
_SHARED = ("token.actions.githubusercontent.com", "gitlab.com", "agent.buildkite.com")
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider, please reference "
    "AssumeRoleWithWebIdentity documentation for requirements"
)
_NO_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
_NO_ANSWER = "An error occurred while communicating with the identity provider"
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


class Refusal(Exception):
    """An error of STS, with its code and status."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Identity:
    """A token that was verified: the ARN of its provider, and its claims."""

    provider: str
    host: str
    claims: dict


_issuers: dict[str, tuple[int, str]] = {}
_identity: contextvars.ContextVar[Identity | None] = contextvars.ContextVar("web_identity", default=None)


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidIdentityToken", message)


class _Connection(http.client.HTTPSConnection):
    """A connection to a port of this machine, whose certificate must be for the name of the issuer."""

    def __init__(self, host: str, port: int, authority: str):
        context = ssl.create_default_context(cadata=authority)
        super().__init__(host, timeout=_PATIENCE, context=context)
        self._place = ("127.0.0.1", port)
        self._tls = context

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(
            socket.create_connection(self._place, timeout=_PATIENCE), server_hostname=self.host
        )


def _fetch(url: str) -> dict:
    """Reads a JSON document of an issuer; raises when it cannot be had."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise _invalid(_NO_KEY)
    known = _issuers.get(parts.netloc)
    connection = (
        _Connection(parts.netloc, *known) if known else http.client.HTTPSConnection(parts.netloc, timeout=_PATIENCE)
    )
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        content = answer.read(1_000_000)
        if answer.status != 200:
            raise Refusal("IDPCommunicationError", f"The identity provider answered with status {answer.status}")
        document = json.loads(content)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Refusal("IDPCommunicationError", _NO_ANSWER) from error
    finally:
        connection.close()
    return document if isinstance(document, dict) else {}


def _bytes(text: Any) -> bytes:
    return base64.b64decode(str(text) + "=" * (-len(str(text)) % 4), altchars=b"-_", validate=True)


def _parse(token: str) -> tuple[dict, dict, bytes, bytes]:
    """The header, the claims, what is signed, and the signature."""
    try:
        header, claims, signature = token.split(".")
        parsed = [json.loads(_bytes(part)) for part in (header, claims)]
        if not all(isinstance(part, dict) for part in parsed):
            raise ValueError(token)
        return parsed[0], parsed[1], f"{header}.{claims}".encode(), _bytes(signature)
    except ValueError as error:
        raise _invalid(_NO_TOKEN) from error


def _number(value: Any) -> int:
    return int.from_bytes(_bytes(value), "big")


def _check_signature(algorithm: str, key: dict, signed: bytes, signature: bytes) -> None:
    digest = _HASHES[algorithm[2:]]()
    if algorithm.startswith("RS"):
        if key.get("kty") != "RSA":
            raise InvalidSignature
        rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key().verify(
            signature, signed, padding.PKCS1v15(), digest
        )
        return
    name, curve, size = _CURVES[algorithm]
    if key.get("kty") != "EC" or key.get("crv") != name or len(signature) != 2 * size:
        raise InvalidSignature
    pair = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    across, up = (_number(key[name]) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(across, up, curve()).public_key()
    public.verify(utils.encode_dss_signature(*pair), signed, ec.ECDSA(digest))


def _verification_key(issuer: str, key_id: Any) -> dict:
    """The key that the issuer publishes under this id."""
    discovery = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    published = _fetch(str(discovery.get("jwks_uri"))) if discovery.get("issuer") == issuer else {}
    keys = published.get("keys")
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, dict) and key_id is not None and key.get("kid") == key_id:
            return key
    raise _invalid(_NO_KEY)


def verified(token: str, account: str, now: float) -> Identity:
    """Checks a token as STS does. Raises a refusal, or gives whose it is."""
    header, claims, signed, signature = _parse(token)
    issuer, audience, expires = claims.get("iss"), claims.get("aud"), claims.get("exp")
    host = str(issuer).removeprefix("https://")
    provider = seams.iam.oidc_providers.get_scoped(account, None, f"arn:aws:iam::{account}:oidc-provider/{host}")
    if not isinstance(issuer, str) or provider is None or not issuer.startswith("https://"):
        raise _invalid(f"No OpenIDConnect provider found in your account for {issuer}")
    if not isinstance(expires, (int, float)) or isinstance(expires, bool) or not isinstance(claims.get("sub"), str):
        raise _invalid("Missing a required claim")
    if now >= expires:
        raise Refusal(
            "ExpiredTokenException",
            f"Token expired: current date/time {int(now)} must be before the expiration date/time {int(expires)}",
        )
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(one in provider["ClientIDList"] for one in audiences):
        raise _invalid("Incorrect token audience")
    for name in ("nbf", "iat"):
        at = claims.get(name, 0)
        if not isinstance(at, (int, float)) or at > now + _LEEWAY:
            raise _invalid(f"The token's {name} lies in the future")
    algorithm = header.get("alg")
    if algorithm not in ("RS256", "RS384", "RS512", *_CURVES):
        raise _invalid("The token must be signed using either RSA keys or ECDSA keys")
    try:
        _check_signature(algorithm, _verification_key(issuer, header.get("kid")), signed, signature)
    except (InvalidSignature, KeyError, ValueError) as error:
        raise _invalid("The token's signature is invalid") from error
    return Identity(provider["Arn"], host, claims)


def _assume(params: dict) -> Identity:
    """Checks a request for a session. Raises a refusal, or gives whose token it holds."""
    role_arn = (params.get("RoleArn") or [""])[0]
    session = (params.get("RoleSessionName") or [""])[0]
    if not _SESSION_NAME.fullmatch(session):
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{session[:64]}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*, and have a length of 2 to 64",
        )
    parts = role_arn.split(":")
    account = parts[4] if len(parts) == 6 else get_account_id()
    identity = verified((params.get("WebIdentityToken") or [""])[0], account, clock.now())
    role = seams.iam.roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    longest = int((role or {}).get("MaxSessionDuration") or 3600)
    duration = (params.get("DurationSeconds") or [""])[0]
    if duration and not (duration.isascii() and duration.isdigit() and 900 <= int(duration) <= longest):
        raise Refusal(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return identity


def _issuer_at(method: str, body: bytes) -> tuple[int, dict]:
    if method == "POST":
        request = json.loads(body)
        _issuers[request["host"]] = (int(request["port"]), str(request["authority"]))
    return 200, {"issuers": sorted(_issuers)}


def _tests_subject(statement: dict, host: str) -> bool:
    """Tells whether a statement tests the subject with more than wildcards."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, values in keys.items():
            wanted = [values] if isinstance(values, str) else values
            if key.lower() == f"{host}:sub" and operator.startswith("String") and "Not" not in operator:
                return bool(wanted) and all(str(value).strip("*?:") for value in wanted)
    return False


def _untested(document: Any) -> str | None:
    """The shared provider that a trust policy lets in without a test of the subject."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return None
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        federated = principal.get("Federated", []) if isinstance(principal, dict) else []
        for arn in [federated] if isinstance(federated, str) else federated:
            host = str(arn).partition(":oidc-provider/")[2]
            if host in _SHARED and statement.get("Effect") == "Allow" and not _tests_subject(statement, host):
                return host
    return None


def _with_tested_subject(handler, field: str):
    """Refuses a trust policy that leaves the subject of a shared provider open."""

    def handle(params):
        host = _untested(seams.iam.p(params, field))
        if host is not None:
            return seams.iam.error(
                400, "MalformedPolicyDocument", f"Missing required condition {host}:sub in the trust policy", ns="iam"
            )
        return handler(params)

    return handle


def _with_https(handler):
    """Refuses an issuer without TLS."""

    def handle(params):
        if not seams.iam.p(params, "Url").startswith("https://"):
            return seams.iam.error(400, "ValidationError", "Invalid Open ID Connect Provider URL", ns="iam")
        return handler(params)

    return handle


def _create(logical_id, props, stack_name):
    request = {"Url": props["Url"]}
    for field, member in (("ClientIdList", "ClientIDList"), ("ThumbprintList", "ThumbprintList")):
        for at, value in enumerate(props.get(field, []), 1):
            request[f"{member}.member.{at}"] = value
    checked(seams.iam.IAM_HANDLERS["CreateOpenIDConnectProvider"](request), TYPE)
    arn = f"arn:aws:iam::{get_account_id()}:oidc-provider/{props['Url'].removeprefix('https://').rstrip('/')}"
    return arn, {"Arn": arn}


def _update(physical_id, old_props, new_props, stack_name, logical_id=None):
    if old_props.get("Url") != new_props.get("Url"):
        return _create(logical_id, new_props, stack_name)
    seams.iam.oidc_providers[physical_id]["ClientIDList"] = list(new_props.get("ClientIdList", []))
    return physical_id, {"Arn": physical_id}


def _delete(physical_id, props):
    if physical_id in seams.iam.oidc_providers:
        seams.iam.IAM_HANDLERS["DeleteOpenIDConnectProvider"]({"OpenIDConnectProviderArn": physical_id})


def install() -> None:
    handle = seams.sts.handle_request
    principal_of = seams.sts.web_identity_principal

    async def handle_request(method, path, headers, body, query_params):
        params = {**query_params, **(parse_qs(body.decode("utf-8", "replace")) if body else {})}
        if (params.get("Action") or [""])[0] != "AssumeRoleWithWebIdentity":
            return await handle(method, path, headers, body, query_params)
        try:
            # The provider is asked while other calls go on.
            identity = await asyncio.to_thread(_assume, params)
        except Refusal as refusal:
            return seams.iam.error(refusal.status, refusal.code, refusal.message, ns="sts")
        _identity.set(identity)
        status, answer_headers, answer = await handle(method, path, headers, body, query_params)
        text = answer.decode() if isinstance(answer, bytes) else str(answer)
        audience = identity.claims["aud"]
        for element, value in (
            ("SubjectFromWebIdentityToken", identity.claims["sub"]),
            ("Audience", audience if isinstance(audience, str) else audience[0]),
            ("Provider", identity.provider),
        ):
            before, _, rest = text.partition(f"<{element}>")
            text = f"{before}<{element}>{escape(value)}<{rest.partition('<')[2]}" if rest else text
        return status, answer_headers, text.encode()

    def web_identity_principal(token, provider_id, role_arn):
        identity = _identity.get()
        if identity is None:
            return principal_of(token, provider_id, role_arn)
        keys = {
            f"{identity.host}:{name}".lower(): identity.claims[name]
            for name in ("aud", "sub", "amr")
            if name in identity.claims
        }
        return identity.provider, keys

    seams.sts.replace(handle_request=handle_request, web_identity_principal=web_identity_principal)
    handlers = seams.iam.IAM_HANDLERS
    handlers["CreateOpenIDConnectProvider"] = _with_https(handlers["CreateOpenIDConnectProvider"])
    handlers["CreateRole"] = _with_tested_subject(handlers["CreateRole"], "AssumeRolePolicyDocument")
    handlers["UpdateAssumeRolePolicy"] = _with_tested_subject(handlers["UpdateAssumeRolePolicy"], "PolicyDocument")
    seams.provisioners.RESOURCE_HANDLERS[TYPE] = {"create": _create, "update": _update, "delete": _delete}
    control.serve(PATH, _issuer_at)
    control.on_reset(_issuers.clear)
