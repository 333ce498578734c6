"""JSON and Protobuf of the same messages, compared field by field. Written from the contract: the names are the
same, times are text here and microseconds there, and what is null or absent here is not set there."""

import datetime

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def micros(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def fill(form, body):
    """The Protobuf message with the content of a JSON object; a name that it does not have is an error."""
    for name, value in body.items():
        if isinstance(value, dict):
            fill(getattr(form, name), value)
        elif isinstance(value, list):
            for each in value:
                fill(getattr(form, name).add(), each)
        elif name in form.DESCRIPTOR.fields_by_name:
            setattr(form, name, value)
        else:
            setattr(form, name + "_micros", micros(value))
    return form


def is_list(field):
    return field.label == field.LABEL_REPEATED


def differences(body, form, place=""):
    """What a JSON value and a Protobuf message do not say alike; empty: nothing."""
    found = []
    fields = form.DESCRIPTOR.fields_by_name
    seen = set()
    for name, value in body.items():
        at = f"{place}.{name}"
        if name in fields:
            field, expected = fields[name], value
        elif name + "_micros" in fields:
            field, expected = fields[name + "_micros"], value and micros(value)
        else:
            found.append(f"{at}: only in JSON")
            continue
        seen.add(field.name)
        actual = getattr(form, field.name)
        if is_list(field):
            if len(actual) != len(value):
                found.append(f"{at}: {len(value)} and {len(actual)} items")
            for number, (one, other) in enumerate(zip(value, actual)):
                item = f"{at}[{number}]"
                if isinstance(one, dict):
                    found += differences(one, other, item)
                elif one != other:
                    found.append(f"{item}: {one!r} and {other!r}")
        elif field.message_type is not None:
            if (value is None) == form.HasField(field.name):
                found.append(f"{at}: {value!r} and {actual!r}")
            elif value is not None:
                found += differences(value, actual, at)
        elif value is None:
            is_set = form.HasField(field.name) if field.has_presence else bool(actual)
            if is_set:
                found.append(f"{at}: null and {actual!r}")
        elif (type(expected), expected) != (type(actual), actual):
            found.append(f"{at}: {expected!r} and {actual!r}")
    found += [f"{place}.{field.name}: only in Protobuf" for field, _ in form.ListFields() if field.name not in seen]
    return found


def agree(body, form):
    found = differences(body, form)
    assert not found, found
