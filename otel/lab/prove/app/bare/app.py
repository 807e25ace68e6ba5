"""A function with one call of AWS, which needs no permission; with `rounds` in its event it computes instead."""

import boto3

sts = boto3.client("sts")


def handler(event: dict[str, int], context: object) -> str:
    """The account's number, or the sum of so many numbers."""
    if "rounds" in event:
        return str(sum(range(event["rounds"])))
    return str(sts.get_caller_identity()["Account"])
