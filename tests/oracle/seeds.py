"""The seed of a random test: printed with a failure, and told again by POINTHOUSE_SEED."""

import os
import random

import pytest


@pytest.fixture
def seed():
    chosen = int(os.environ.get("POINTHOUSE_SEED") or random.randrange(2**32))
    print("seed", chosen)
    return chosen
