#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate_schema.py SCHEMA DOCUMENT...: checks JSON documents against a JSON Schema.

Exit 0 when all are valid, 1 with the path of the first violation of each that is not, 2 when
something cannot be read.
"""

import json
import sys

import jsonschema


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def read(path):
    """JSON as the RFC has it: no NaN, no repeated keys."""

    def unique(pairs):
        keys = [key for key, _ in pairs]
        if len(keys) != len(set(keys)):
            raise ValueError(f"repeated key in {keys}")
        return dict(pairs)

    with open(path, encoding="utf-8") as file:
        return json.load(file, object_pairs_hook=unique, parse_constant=refuse_constant)


def first_violation(validator, document):
    """'/findings/3/tier: ...' or None; the earliest place in the document."""
    errors = sorted(validator.iter_errors(document), key=lambda e: [str(p) for p in e.absolute_path])
    if not errors:
        return None
    path = "".join(f"/{part}" for part in errors[0].absolute_path) or "/"
    return f"{path}: {errors[0].message[:500]}"


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        schema = read(arguments[0])
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
        documents = [(path, read(path)) for path in arguments[1:]]
    except (OSError, ValueError, jsonschema.SchemaError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    status = 0
    for path, document in documents:
        violation = first_violation(kind(schema), document)
        if violation is not None:
            print(f"{path}: {violation}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
