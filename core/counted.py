"""Numbers of things in words."""


def counted(count: int, thing: str) -> str:
    """`1 trial`, `2 trials`, `0 trials`: for things whose plural ends in s."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
