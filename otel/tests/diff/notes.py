"""An app that tests of `diff` run: notes in a table, and a queue that a second function reads."""

from pathlib import Path

from lab.apps import VERSION

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      BillingMode: PAY_PER_REQUEST
  Later: { Type: AWS::SQS::Queue }
  Api:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: pythonVERSION
      Handler: app.handler
      CodeUri: src/
      Environment: { Variables: { NOTES: !Ref Notes, LATER: !Ref Later } }
      Events:
        Add: { Type: HttpApi, Properties: { Path: /notes, Method: POST } }
        Get: { Type: HttpApi, Properties: { Path: "/notes/{id}", Method: GET } }
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: pythonVERSION
      Handler: work.handler
      CodeUri: src/
      Events:
        Message: { Type: SQS, Properties: { Queue: !GetAtt Later.Arn } }
""".replace("VERSION", "{}.{}".format(*VERSION))
APP = """\
import json
import os
import uuid

import boto3

TABLE = boto3.resource("dynamodb").Table(os.environ["NOTES"])
QUEUE = boto3.client("sqs")


def handler(event, context):
    if event["requestContext"]["http"]["method"] == "POST":
        note = {"id": uuid.uuid4().hex}
        TABLE.put_item(Item=note)
        QUEUE.send_message(QueueUrl=os.environ["LATER"], MessageBody=json.dumps(note))
        return {"statusCode": 201, "body": json.dumps(note)}
    item = TABLE.get_item(Key=event["pathParameters"]).get("Item")
    return {"statusCode": 200 if item else 404, "body": json.dumps(item)}
"""
GET = '    item = TABLE.get_item(Key=event["pathParameters"]).get("Item")\n'
TWICE = f'    TABLE.get_item(Key=event["pathParameters"])\n{GET}'
WORK = """\
import time

time.sleep(5)  # a slow start: longer than diff waits for an event


def handler(event, context):
    return [word for record in event["Records"] for word in record["body"].split()]
"""
SESSION = {
    "calls": [
        {"request": "POST /notes", "status": "201", "names": {"id": "id"}},
        {"request": "GET /notes/{{id}}", "status": "200"},
    ]
}


def write_notes(folder: Path) -> None:
    """Write the app into a new folder."""
    (folder / "src").mkdir(parents=True)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "src" / "app.py").write_text(APP)
    (folder / "src" / "work.py").write_text(WORK)
