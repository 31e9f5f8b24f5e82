"""S3: keys that cannot be used, and what object lock and conditional writes refuse.

Recorded on AWS in the snapshots of LocalStack, tests/aws/services/s3/*.snapshot.json: a disabled key and one that is
going to be deleted (test_s3_sse_validate_kms_key_state), object lock (TestS3ObjectLock*, versioning of a locked bucket,
retention of a delete marker, a mode without a date), If-None-Match with anything but * (TestS3ObjectWritePrecondition,
2026-02).

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.core.responses import get_account_id, get_region

from cloud import seams

_SSE, _KEY = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"
_NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"


def _unusable(encryption: dict) -> tuple | None:
    """The refusal of a request that needs the key of these headers, if the key cannot be used."""
    key_id = encryption.get(_KEY)
    if encryption.get(_SSE) != "aws:kms" or not key_id or "alias/aws/s3" in key_id:
        return None
    key = seams.kms.resolve_key(key_id)
    if key is None:
        return seams.s3.error("KMS.NotFoundException", f"Invalid keyId '{key_id}'", 400)
    if key["KeyState"] == "Disabled":
        return seams.s3.error("KMS.DisabledException", f"{key['Arn']} is disabled.", 400)
    if key["KeyState"] == "PendingDeletion":
        return seams.s3.error("KMS.KMSInvalidStateException", f"{key['Arn']} is pending deletion.", 400)
    return None


def _is_delete_marker(bucket: str, key: str, query: dict | None) -> bool:
    versions = seams.s3.object_versions.get((bucket, key), [])
    version_id = seams.s3.qp(query or {}, "versionId", "")
    named = [version for version in versions if version["version_id"] == version_id] if version_id else versions[-1:]
    return bool(named and named[0].get("is_delete_marker"))


def _encryption_xml(value: dict) -> bytes:
    """The body of PutBucketEncryption for the property of AWS::S3::Bucket."""
    rule = (value.get("ServerSideEncryptionConfiguration") or [{}])[0]
    default = rule.get("ServerSideEncryptionByDefault") or {}
    root = Element("ServerSideEncryptionConfiguration")
    apply = SubElement(SubElement(root, "Rule"), "ApplyServerSideEncryptionByDefault")
    for name in ("SSEAlgorithm", "KMSMasterKeyID"):
        if default.get(name):
            SubElement(apply, name).text = str(default[name])
    return tostring(root)


def _put_encryption(name: str, body: bytes) -> None:
    status, _headers, answer = seams.s3.put_bucket_encryption(name, body)
    if status >= 300:
        raise ValueError(f"AWS::S3::Bucket BucketEncryption: {answer!r}")


def install() -> None:
    write_headers, get_object = seams.s3.resolve_sse_write_headers, seams.s3.get_object
    preconditions, lock_headers = seams.s3.check_put_preconditions, seams.s3.object_lock_header_error
    put_versioning = seams.s3.put_bucket_versioning

    def _resolve_sse_write_headers(headers, bucket_name):
        # Without a key S3 takes the account's own, as the CDK toolkit has it do.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_RequestSyntax
        if headers.get(_SSE) == "aws:kms" and not headers.get(_KEY):
            headers = {**headers, _KEY: f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"}
        found, error = write_headers(headers, bucket_name)
        unusable = None if error else _unusable(found)
        return (None, unusable) if unusable else (found, error)

    def _get_object(bucket_name, key, headers, query_params=None):
        answer = get_object(bucket_name, key, headers, query_params)
        return (_unusable(answer[1]) or answer) if answer[0] in (200, 206) else answer

    def _check_put_preconditions(headers, existing_obj):
        if headers.get("if-none-match", "*").strip() != "*":
            return seams.s3.error("NotImplemented", _NOT_IMPLEMENTED, 501)
        return preconditions(headers, existing_obj)

    def _object_lock_header_error(bucket_name, headers):
        given = [bool(headers.get(f"x-amz-object-lock-{part}")) for part in ("mode", "retain-until-date")]
        if any(given) and not all(given):
            return seams.s3.error(
                "InvalidArgument",
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
                400,
            )
        return lock_headers(bucket_name, headers)

    def _put_bucket_versioning(name, body):
        if name in seams.s3.bucket_object_lock and b"Suspended" in body:
            return seams.s3.error(
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
                409,
            )
        return put_versioning(name, body)

    def refusing_markers(original):
        def answer(bucket_name, key, *others, **named):
            query = named.get("query_params") or next((each for each in reversed(others) if isinstance(each, dict)), {})
            if _is_delete_marker(bucket_name, key, query):
                return seams.s3.error(
                    "MethodNotAllowed", "The specified method is not allowed against this resource.", 405
                )
            return original(bucket_name, key, *others, **named)

        return answer

    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-bucketencryption.html
    seams.provisioners.replace(
        S3_BUCKET_CONFIGURATIONS=(
            *seams.provisioners.S3_BUCKET_CONFIGURATIONS,
            ("BucketEncryption", _encryption_xml, _put_encryption, seams.s3.delete_bucket_encryption),
        )
    )
    seams.s3.replace(
        resolve_sse_write_headers=_resolve_sse_write_headers,
        get_object=_get_object,
        check_put_preconditions=_check_put_preconditions,
        object_lock_header_error=_object_lock_header_error,
        put_bucket_versioning=_put_bucket_versioning,
        get_object_retention=refusing_markers(seams.s3.get_object_retention),
        put_object_retention=refusing_markers(seams.s3.put_object_retention),
    )
