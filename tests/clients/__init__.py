import pytest

pytest.register_assert_rewrite("tests.clients.example_contract")
