"""Calls a SageMaker Runtime API with boto3.

Standard input: a JSON list of calls, each with the arguments of
invoke_endpoint (Body in base64) and optionally "unsigned" or "region".
Standard output: a JSON list with what the caller of boto3 sees of each.
"""
import base64
import json
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError


def invoke(url, call):
    config = Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED if call.pop("unsigned", False) else None)
    client = boto3.client("sagemaker-runtime", endpoint_url=url, region_name=call.pop("region", "us-east-1"), config=config,
                          aws_access_key_id="key", aws_secret_access_key="secret")
    call["Body"] = base64.b64decode(call["Body"]) * call.pop("repeat", 1)
    try:
        r = client.invoke_endpoint(**call)
    except ClientError as e:
        known = type(e).__name__ if type(e) is not ClientError else ""
        extra = {k: e.response[k] for k in ("OriginalStatusCode", "OriginalMessage", "LogStreamArn") if k in e.response}
        return {"class": known, "code": e.response["Error"]["Code"], "message": e.response["Error"]["Message"],
                "status": e.response["ResponseMetadata"]["HTTPStatusCode"], **extra}
    return {"status": r["ResponseMetadata"]["HTTPStatusCode"], "body": r["Body"].read().decode(),
            "type": r["ContentType"], "variant": r["InvokedProductionVariant"], "attributes": r.get("CustomAttributes", ""),
            "requestId": len(r["ResponseMetadata"]["RequestId"])}


json.dump([invoke(sys.argv[1], call) for call in json.load(sys.stdin)], sys.stdout)
