"""What the house says no to."""

POINTS_MAX = 1_000_000_000


class Refused(Exception):
    """The code is one of the contract's."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def status_of(code):
    return {"member_unknown": 404, "message_unknown": 404, "hold_unknown": 404, "hold_not_open": 409,
            "forbidden": 403}.get(code, 422)
