// Python's expressions, read as far as a formula needs: tokens, and the tree {kind, from, to, ...} of what is written. What
// is Python but no part of a formula (lists, lambda, strings, ...) is a node of kind "other", to be refused by its place;
// a if b else c, and, or are of kind "choice".
(() => {
  "use strict";

  /** A text that is no expression; the message is the detail that Python's parser gives. */
  class Unreadable extends Error {}

  const fail = (detail = "invalid syntax") => {
    throw new Unreadable(detail);
  };

  const KEYWORDS = new Set(
    ("False None True and as assert async await break class continue def del elif else except finally for from " +
      "global if import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
  );
  const CLOSING = { "(": ")", "[": "]", "{": "}" };

  // --- tokens ------------------------------------------------------------------------------------------------------

  const NAME = /[A-Za-z_\u0080-\u{10ffff}][A-Za-z_0-9\u0080-\u{10ffff}]*/uy;
  const STRING = /[rRbBuUfF]{0,2}('''|"""|'|")(?:\\.|(?!\1).)*\1/sy;
  const NUMBER = /(\d(_?\d)*\.?(\d(_?\d)*)?|\.\d(_?\d)*)([eE][+-]?\d(_?\d)*)?[jJ]?/y;
  const BASES = { x: ["hexadecimal", "\\da-fA-F"], o: ["octal", "0-7"], b: ["binary", "01"] };
  const OPERATOR = /\*\*=|\/\/=|>>=|<<=|\.\.\.|\*\*|\/\/|>>|<<|->|:=|[=!<>+\-*/%@&|^]=|[-+*/%@&|^~<>()[\]{},:;.=]/y;

  const matched = (pattern, text, at) => {
    pattern.lastIndex = at;
    return (pattern.exec(text) || [""])[0];
  };

  /** A number's text and value, null if it is complex, and whether floats have all whole numbers up to it; nothing but an operator or a keyword may follow it. */
  const numberAt = (text, at) => {
    const base = text[at] === "0" && BASES[text.charAt(at + 1).toLowerCase()];
    const found = matched(base ? new RegExp(`0.(_?[${base[1]}])*`, "y") : NUMBER, text, at);
    const rest = text.slice(at + found.length);
    if (base && /^\d/.test(rest)) fail(`invalid digit '${rest[0]}' in ${base[0]} literal`);
    const ends = !/^[\w\x80-\uffff]/.test(rest) || /^(and|else|for|if|in|is|not|or)/.test(rest);
    if (!ends || (base && found.length === 2)) fail(`invalid ${base ? base[0] : "decimal"} literal`);
    const digits = found.replaceAll("_", "");
    const whole = !!base || /^\d+$/.test(digits);
    if (!base && whole && /^0+[1-9]/.test(digits)) {
      fail("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers");
    }
    const value = !base && /j$/i.test(digits) ? null : Number(digits);
    return { kind: "number", text: found, value, whole: whole && BigInt(digits) <= 2n ** 53n };
  };

  const checkName = (name) => {
    [...name].forEach((c, i) => {
      if (c === "_" || (i ? /\p{XID_Continue}/u : /\p{XID_Start}/u).test(c)) return;
      const code = `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      fail(/[\p{C}\p{Z}]/u.test(c) ? `invalid non-printable character ${code}` : `invalid character '${c}' (${code})`);
    });
  };

  const checkBrackets = (bracket, open) => {
    if (CLOSING[bracket]) open.push(bracket);
    if (open.length > 199) fail("too many nested parentheses");
    if (!")]}".includes(bracket)) return;
    const opened = open.pop();
    if (!opened) fail(`unmatched '${bracket}'`);
    if (CLOSING[opened] !== bracket) {
      fail(`closing parenthesis '${bracket}' does not match opening parenthesis '${opened}'`);
    }
  };

  const tokenAt = (text, at) => {
    const string = matched(STRING, text, at);
    if (string) return { kind: "string", text: string };
    if (/["']/.test(text[at])) fail("unterminated string literal (detected at line 1)");
    if (/\d/.test(text[at]) || /^\.\d/.test(text.slice(at, at + 2))) return numberAt(text, at);
    const name = matched(NAME, text, at);
    checkName(name);
    if (name) return { kind: KEYWORDS.has(name) ? "operator" : "name", text: name };
    const operator = matched(OPERATOR, text, at);
    return { kind: operator ? "operator" : "bad", text: operator || text[at] };
  };

  /** The tokens {kind, text, from, to}; the last is of kind "end", and knows a bracket that was not closed. */
  const tokensOf = (text) => {
    const [tokens, open] = [[], []];
    if (text.includes("\0")) fail("source code string cannot contain null bytes");
    for (let at = 0; at < text.length; ) {
      const space = matched(open.length ? /([ \t\f\r\n]|#.*|\\\n)+/y : /([ \t\f\r]|#.*|\\\n)+/y, text, at);
      at += space.length;
      if (space) continue;
      if (text[at] === "\\") fail("unexpected character after line continuation character");
      const token = tokenAt(text, at);
      if (token.kind === "operator" && token.text.length === 1) checkBrackets(token.text, open);
      tokens.push({ ...token, from: at, to: at + token.text.length });
      at += token.text.length;
    }
    return [...tokens, { kind: "end", text: "", from: text.length, to: text.length, unclosed: open.at(-1) }];
  };

  // --- the tree ----------------------------------------------------------------------------------------------------

  const LEVEL = { if: 1, or: 2, and: 3, "|": 6, "^": 7, "&": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "**": 13 };
  for (const op of ["<", "<=", ">", ">=", "==", "!=", "in", "is", "not in", "is not"]) LEVEL[op] = 5;
  for (const op of ["*", "/", "//", "%", "@"]) LEVEL[op] = 11;
  const [CHOICE, NOT, COMPARISON, BITWISE, SIGN, POWER] = [1, 4, 5, 6, 12, 13];

  class Reader {
    constructor(text) {
      this.tokens = tokensOf(text);
      this.at = 0;
    }

    get token() {
      return this.tokens[this.at];
    }

    get next() {
      return this.tokens[this.at + 1] || this.token;
    }

    is(...texts) {
      return this.token.kind === "operator" && texts.includes(this.token.text);
    }

    take(...texts) {
      return this.is(...texts) ? this.tokens[this.at++] : null;
    }

    /** A bracket that is not closed is told first, but for an operator out of place. */
    stop(detail) {
      const { unclosed } = this.tokens.at(-1);
      const told = unclosed && (this.token.kind !== "operator" || this.is("="));
      return fail(told ? `'${unclosed}' was never closed` : detail);
    }

    node(kind, from, more) {
      return { kind, from, to: this.tokens[this.at - 1].to, ...more };
    }

    all() {
      const from = this.token.from;
      let found = this.expression();
      while (this.take(",")) {
        if (this.token.kind !== "end") this.expression();
        found = this.node("other", from);
      }
      return this.token.kind === "end" ? found : this.stop();
    }

    /** Operators of this level and above, by precedence climbing. */
    expression(least = CHOICE) {
      const from = this.token.from;
      let left = this.operand(least);
      for (let chain = false; ; ) {
        const two = (this.is("not") && this.next.text === "in") || (this.is("is") && this.next.text === "not");
        const op = two ? `${this.token.text} ${this.next.text}` : this.token.text;
        const level = this.token.kind === "operator" && Object.hasOwn(LEVEL, op) ? LEVEL[op] : 0;
        if (!level || level < least) return left;
        this.at += two ? 2 : 1;
        if (level === CHOICE) {
          this.expression(CHOICE + 1);
          if (!this.take("else")) this.token.unclosed ? this.stop() : fail("expected 'else' after 'if' expression");
        }
        const right = this.expression({ [CHOICE]: CHOICE, [POWER]: SIGN }[level] || level + 1);
        if (level === COMPARISON) {
          const before = chain ? left : { operands: [left], ops: [] };
          left = this.node("compare", from, { operands: [...before.operands, right], ops: [...before.ops, op] });
          chain = true;
        } else left = this.node(level < NOT ? "choice" : "binary", from, { op, left, right });
      }
    }

    operand(least) {
      const from = this.token.from;
      if (least === CHOICE && this.take("lambda")) {
        while (!this.take(":")) this.token.kind === "end" ? this.stop() : this.at++;
        this.expression();
        return this.node("other", from);
      }
      if (least <= NOT && this.take("not")) {
        this.expression(NOT);
        return this.node("other", from);
      }
      const signs = [];
      while (this.is("+", "-", "~")) signs.push(this.tokens[this.at++]);
      if (!signs.length) return this.primary();
      const operand = this.expression(POWER);
      return signs.reduceRight(
        (found, { text: op, from: place }) => this.node(op === "~" ? "other" : "unary", place, { op, operand: found }),
        operand,
      );
    }

    primary() {
      const from = this.token.from;
      const waits = this.take("await");
      let found = this.atom();
      for (;;) {
        if (this.is("(")) found = this.node("call", from, { callee: found, ...this.given() });
        else if (this.take("[")) found = this.skipped("]", from);
        else if (this.take(".")) {
          const attribute = this.token.kind === "name" ? this.tokens[this.at++].text : this.stop();
          found = this.node("other", from, { attribute });
        } else return waits ? this.node("other", from) : found;
      }
    }

    atom() {
      const { kind, text, from, value, whole } = this.token;
      if (["number", "string", "name"].includes(kind)) {
        this.at++;
        while (kind === "string" && this.token.kind === "string") this.at++;
        if (kind === "name") return this.node(kind, from, { name: text.normalize("NFKC") });
        return this.node(kind === "number" && value !== null ? kind : "other", from, { value, whole });
      }
      if (this.take("True", "False", "None", "...")) return this.node("other", from);
      if (this.take("[", "{")) return this.skipped(CLOSING[text], from);
      if (!this.take("(")) return this.stop();
      if (this.is("yield")) return { ...this.skipped(")", this.token.from), to: this.tokens[this.at - 2].to };
      if (this.is(")", "*")) return this.skipped(")", from);
      const inner = this.item();
      if (this.take(")")) return inner;
      return this.is(",", "for") ? this.skipped(")", from) : this.missing();
    }

    /** What a call is given: its arguments, and how many have names. */
    given() {
      const given = [];
      let keywords = 0;
      const opening = this.take("(").from;
      while (!this.take(")")) {
        const named = this.token.kind === "name" && this.next.text === "=";
        if (named) this.at += 2;
        const keyword = named || this.take("**");
        if (keyword) keywords++;
        else if (keywords && !this.is("*")) fail("positional argument follows keyword argument");
        const argument = this.item();
        if (this.is("for")) {
          given.push(this.skipped(")", opening));
          break;
        }
        if (!keyword) given.push(argument);
        if (!this.take(",") && !this.is(")")) this.missing();
      }
      return { given, keywords };
    }

    /** An argument, or what is in parentheses: it may have a star, or a name. */
    item() {
      const from = this.token.from;
      const starred = this.take("*");
      const found = this.expression(starred ? BITWISE : CHOICE);
      const named = found.kind === "name" && this.take(":=");
      if (named) this.expression();
      return starred || named ? this.node("other", from) : found;
    }

    /** All up to the closing bracket, which is refused anyway. */
    skipped(closing, from) {
      for (let depth = 0; depth || !this.is(closing); this.at++) {
        if (this.token.kind === "end") this.stop();
        depth += this.is("(", "[", "{") ? 1 : this.is(")", "]", "}") ? -1 : 0;
      }
      this.at++;
      return this.node("other", from);
    }

    /** Two expressions side by side lack a comma; anything else is wrong by itself. */
    missing() {
      if (!["number", "name", "string"].includes(this.token.kind)) this.stop();
      this.expression();
      this.stop("invalid syntax. Perhaps you forgot a comma?");
    }
  }

  /** The tree of an expression, of text without white space at its ends. Throws Unreadable. */
  const read = (text) => {
    try {
      return new Reader(text).all();
    } catch (problem) {
      if (problem instanceof RangeError) fail("too many nested parentheses");
      throw problem;
    }
  };

  TinySpad.language = { read, Unreadable };
})();
