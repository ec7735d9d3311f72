"""Holds answers of the admin API to the description that it gives of itself.

    answers.py openapi.json answers.jsonl

Each line of the second file is an answer: {"method", "target", "status", "headers", "body"}. What does not fit is
printed, a line each; the exit status is then 1.
"""

import json
import re
import sys
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

description = json.load(open(sys.argv[1]))
validate(description)


# What is answered before it is looked at what is asked for.
early = (400, 408, 413, 414, 415, 417, 431, 501, 505)


def resolved(value):
    while "$ref" in value:
        target = description
        for step in value["$ref"].split("/")[1:]:
            target = target[step]
        value = target
    return value


def template(target):
    """The path of the description that a target stands for; literal ones go before those with parameters."""
    path = urlsplit(target).path
    found = []
    for known in description["paths"]:
        pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(known))
        if re.fullmatch(pattern, path):
            found.append(known)
    return min(found, key=lambda known: known.count("{"), default=None)


def faults(answer):
    known = template(answer["target"])
    if known is None:
        return [] if answer["status"] in (401, 404, *early) else ["a path that is not described was answered"]
    method = "get" if answer["method"] == "HEAD" else answer["method"].lower()
    operation = description["paths"][known].get(method)
    if operation is None:
        return [] if answer["status"] in (401, 405, *early) else ["a method that is not described was answered"]
    response = operation["responses"].get(str(answer["status"]))
    if response is None:
        return [f"the status {answer['status']} is not described"]
    response = resolved(response)
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    missing = [name for name in response.get("headers", {}) if name.lower() not in headers]
    problems = [f"the header {name} is missing" for name in missing]
    if headers.get("content-type") not in response["content"]:
        problems.append(f"the type {headers.get('content-type')} is not described")
    if answer["method"] == "HEAD":
        return problems + (["a body to HEAD"] if answer["body"] else [])
    schema = response["content"]["application/json"]["schema"]
    # References are looked for in the schema itself.
    schema = {**schema, "components": description["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    body = json.loads(answer["body"])
    return problems + [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]


count = 0
wrong = 0
for line in open(sys.argv[2]):
    answer = json.loads(line)
    count += 1
    for fault in faults(answer):
        wrong += 1
        print(f"{answer['method']} {unquote(answer['target'])} {answer['status']}: {fault}")
print(f"{count} answers, {wrong} faults")
sys.exit(1 if wrong or not count else 0)
