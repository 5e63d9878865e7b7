"""What random texts are put together of, to see that a formula is read as Python reads it, or refused."""

PIECES = [
    *("x", "y", "1", "2", "2.5", "e9", "0x1", "pi", "π", "_", "(x", "y)"),
    *("+", "-", "*", "/", "**", "//", "%", "^", "~", "<", "=", "(", ")", "[", ",", ".", "'", " "),
    *("cos", "hypot", "max", "sigmoid", "where", "cos(", "max(", "where("),
    *("lambda", "if", "else", "not", "and"),
]
