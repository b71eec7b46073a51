"""What one operation is given, and whether it used all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from model.errors import ContractError

T = TypeVar("T")


class Operands(Mapping[str, Any]):
    """Operands by name, read-only. An operand that is never read would be a wrong result.

    Reading is `operands[name]` or `operands.get(name)`; `name in operands` is not reading.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        self._read.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def unread(self) -> list[str]:
        """The names that nothing asked for yet."""
        return sorted(self._values.keys() - self._read)


def choose(operands: Mapping[str, Any], name: str, choices: Mapping[str, T], default: str) -> T:
    """What an operand that is a word stands for.

    Raises:
        ContractError: it is a word that `choices` does not have.
    """
    word = operands.get(name, default)
    if word not in choices:
        raise ContractError(f"{name} is {word!r}; known here are {', '.join(choices)}")
    return choices[word]
