// Python's expressions, read: tokens, and the tree of what is written. What the page does not take is a node, too, with
// its place in the text, so that it can be refused in words. A node is {kind, from, to, ...}; kinds that matter further
// on are number, name, unary, binary, compare and call; all others are "other".
(() => {
  "use strict";

  /** A text that is no expression; the message is the detail that Python's parser gives. */
  class Unreadable extends Error {}

  const fail = (detail = "invalid syntax") => {
    throw new Unreadable(detail);
  };

  const KEYWORDS = new Set(
    ("False None True and as assert async await break class continue def del elif else except finally for from global " +
      "if import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
  );
  const OPERATOR =
    /\*\*=|\/\/=|>>=|<<=|\.\.\.|\*\*|\/\/|>>|<<|->|:=|[=!<>+\-*/%@&|^]=|[-+*/%@&|^~<>()[\]{},:;.=]/y;
  const STRING = /(?:[rRbBuUfF]{0,2})('''|"""|'|")/y;
  const CLOSING = { "(": ")", "[": "]", "{": "}" };
  const AFTER_NUMBER = /^(and|else|for|if|in|is|not|or)/;

  // --- tokens ------------------------------------------------------------------------------------------------------

  const matched = (pattern, text, at) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    return found && found[0];
  };

  /** Whole numbers in a base that a prefix tells. */
  const BASES = { x: ["hexadecimal", "0-9a-fA-F"], o: ["octal", "0-7"], b: ["binary", "01"] };

  const numberAt = (text, at) => {
    const base = text[at] === "0" && BASES[(text[at + 1] || "").toLowerCase()];
    if (base) {
      const found = matched(new RegExp(`0.(_?[${base[1]}])+`, "y"), text, at);
      const next = text[at + (found ? found.length : 2)] || "";
      if (/\d/.test(next)) fail(`invalid digit '${next}' in ${base[0]} literal`);
      if (!found || (/[\w\x80-\uffff]/.test(next) && !AFTER_NUMBER.test(text.slice(at + found.length)))) {
        fail(`invalid ${base[0]} literal`);
      }
      return { text: found, value: Number(found.replaceAll("_", "")), whole: true };
    }
    const found = matched(/(\d(_?\d)*\.?(\d(_?\d)*)?|\.\d(_?\d)*)([eE][+-]?\d(_?\d)*)?[jJ]?/y, text, at);
    const rest = text.slice(at + found.length);
    if (/^[\w\x80-\uffff]/.test(rest) && !AFTER_NUMBER.test(rest)) fail(`invalid decimal literal`);
    const digits = found.replaceAll("_", "");
    const whole = /^\d+$/.test(digits);
    if (whole && /^0+[1-9]/.test(digits)) {
      fail("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers");
    }
    return { text: found, value: /j$/i.test(digits) ? null : Number(digits), whole };
  };

  const nameAt = (text, at) => {
    const found = matched(/[A-Za-z_\u0080-\u{10ffff}][A-Za-z_0-9\u0080-\u{10ffff}]*/uy, text, at);
    if (!found) return null;
    [...found].forEach((c, i) => {
      if (c === "_" || (i ? /\p{XID_Continue}/u : /\p{XID_Start}/u).test(c)) return;
      const code = `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      fail(/[\p{C}\p{Z}]/u.test(c) ? `invalid non-printable character ${code}` : `invalid character '${c}' (${code})`);
    });
    return found;
  };

  const stringAt = (text, at) => {
    const opening = matched(STRING, text, at);
    if (!opening) return null;
    const quote = opening.replace(/^\w*/, "");
    for (let end = at + opening.length; end < text.length; end++) {
      if (text[end] === "\\") end++;
      else if (text.startsWith(quote, end)) return text.slice(at, end + quote.length);
      else if (text[end] === "\n" && quote.length === 1) break;
    }
    const lines = quote.length === 1 ? text.slice(0, at).split("\n").length : text.split("\n").length;
    const kind = quote.length === 1 ? "string literal" : "triple-quoted string literal";
    return fail(`unterminated ${kind} (detected at line ${lines})`);
  };

  /** The tokens {kind, text, from, to}; the last is of kind "end". */
  const tokensOf = (text) => {
    if (text.includes("\0")) fail("source code string cannot contain null bytes");
    const tokens = [];
    const open = [];
    const add = (kind, found, more) => {
      tokens.push({ kind, text: found, from: at, to: at + found.length, ...more });
      at += found.length;
    };
    let at = 0;
    while (at < text.length) {
      const c = text[at];
      const string = stringAt(text, at);
      if (/[ \t\f\r]/.test(c) || (c === "\n" && open.length)) at++;
      else if (c === "\n") add("line", c);
      else if (c === "#") at = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at);
      else if (c === "\\" && text[at + 1] === "\n") at += 2;
      else if (c === "\\") fail("unexpected character after line continuation character");
      else if (string) add("string", string);
      else if (/\d/.test(c) || (c === "." && /\d/.test(text[at + 1] || ""))) {
        const number = numberAt(text, at);
        add("number", number.text, number);
      } else {
        const name = nameAt(text, at);
        const operator = name ? null : matched(OPERATOR, text, at);
        if (name) add(KEYWORDS.has(name) ? "keyword" : "name", name);
        else if (operator) {
          if (CLOSING[operator]) open.push(operator);
          if (open.length > 199) fail("too many nested parentheses");
          if (")]}".includes(operator)) {
            const opened = open.pop();
            if (!opened) fail(`unmatched '${operator}'`);
            if (CLOSING[opened] !== operator) {
              fail(`closing parenthesis '${operator}' does not match opening parenthesis '${opened}'`);
            }
          }
          add("operator", operator);
        } else add("bad", c);
      }
    }
    add("end", "", { unclosed: open.at(-1) });
    return tokens;
  };

  // --- the tree ----------------------------------------------------------------------------------------------------

  const LEVEL = { or: 1, and: 2, "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9 };
  for (const op of ["<", "<=", ">", ">=", "==", "!=", "in", "is", "not in", "is not"]) LEVEL[op] = 4;
  for (const op of ["*", "/", "//", "%", "@"]) LEVEL[op] = 10;
  const [NOT, COMPARISON, BITWISE, SIGN, POWER] = [3, 4, 5, 11, 12];
  LEVEL["**"] = POWER;

  class Reader {
    constructor(text) {
      this.tokens = tokensOf(text);
      this.at = 0;
      this.depth = 0;
    }

    get token() {
      return this.tokens[this.at];
    }

    is(...texts) {
      return ["operator", "keyword"].includes(this.token.kind) && texts.includes(this.token.text);
    }

    take(...texts) {
      return this.is(...texts) ? this.tokens[this.at++] : null;
    }

    need(text) {
      return this.take(text) || this.stop();
    }

    stop() {
      const { kind, unclosed } = this.token;
      return fail(kind === "end" && unclosed ? `'${unclosed}' was never closed` : undefined);
    }

    node(kind, from, more) {
      return { kind, from, to: this.tokens[this.at - 1].to, ...more };
    }

    /** All of it: expressions with commas between. */
    all() {
      const from = this.token.from;
      let found = this.expression();
      if (this.is(",")) {
        while (this.take(",") && !["line", "end"].includes(this.token.kind)) this.expression();
        found = this.node("other", from);
      }
      while (this.token.kind === "line") this.at++;
      return this.token.kind === "end" ? found : this.stop();
    }

    /** One expression, the lowest level: lambda, and a if b else c. */
    expression() {
      const from = this.token.from;
      if (this.take("lambda")) {
        while (!this.is(":")) {
          if (!this.take("*", "**", "/", ",", "=")) this.token.kind === "name" ? this.at++ : this.climb(1);
        }
        this.need(":");
        this.expression();
        return this.node("other", from);
      }
      const found = this.climb(1);
      if (!this.take("if")) return found;
      this.climb(1);
      if (!this.is("else") && this.token.kind !== "end") fail("expected 'else' after 'if' expression");
      if (!this.take("else")) fail(this.token.unclosed ? undefined : "expected 'else' after 'if' expression");
      this.expression();
      return this.node("other", from);
    }

    /** Operators of this level and above, by precedence climbing. */
    climb(least) {
      const from = this.token.from;
      let left = this.operand(least);
      let chain = false;
      for (;;) {
        const op = this.operator();
        const level = LEVEL[op];
        if (!level || level < least) return left;
        this.at += op.includes(" ") ? 2 : 1;
        if (level === COMPARISON) {
          const right = this.climb(BITWISE);
          const so_far = chain ? left : { operands: [left], ops: [] };
          const more = { operands: [...so_far.operands, right], ops: [...so_far.ops, op] };
          left = this.node("compare", from, more);
          chain = true;
        } else {
          const right = this.climb(level === POWER ? SIGN : level + 1);
          left = this.node(level < NOT ? "other" : "binary", from, { op, left, right });
        }
      }
    }

    operator() {
      const next = this.tokens[this.at + 1];
      if (this.is("not") && next.text === "in") return "not in";
      if (this.is("is") && next.text === "not") return "is not";
      return this.is("not") || !["operator", "keyword"].includes(this.token.kind) ? "" : this.token.text;
    }

    operand(least) {
      const from = this.token.from;
      if (least <= NOT && this.take("not")) {
        this.climb(NOT);
        return this.node("other", from);
      }
      const signs = [];
      while (this.is("+", "-", "~")) signs.push(this.tokens[this.at++]);
      let found = signs.length ? this.climb(POWER) : this.primary();
      for (const { text, from: place } of signs.reverse()) {
        found = this.node(text === "~" ? "other" : "unary", place, { op: text, operand: found });
      }
      return found;
    }

    primary() {
      const from = this.token.from;
      const waits = this.take("await");
      let found = this.atom();
      for (;;) {
        if (this.take("(")) found = this.called(found, from);
        else if (this.take("[")) {
          this.list("]", () => this.slice());
          found = this.node("other", from);
        } else if (this.take(".")) {
          const { kind, text } = this.token;
          if (kind !== "name") this.stop();
          this.at++;
          found = this.node("other", from, { attribute: text });
        } else return waits ? this.node("other", from) : found;
      }
    }

    called(callee, from) {
      const given = [];
      let keywords = 0;
      let several = false;
      const taken = this.list(")", () => {
        const place = this.token.from;
        const next = this.tokens[this.at + 1];
        if (this.take("**")) {
          this.expression();
          keywords++;
        } else if (this.token.kind === "name" && next.text === "=") {
          this.at += 2;
          this.expression();
          keywords++;
        } else {
          const starred = this.is("*");
          const argument = this.item();
          if (keywords && !starred) fail("positional argument follows keyword argument");
          if (this.comprehension()) several = place;
          given.push(several === place ? this.node("other", place) : argument);
        }
      });
      if (several !== false && taken > 1) fail("Generator expression must be parenthesized");
      return this.node("call", from, { callee, given, keywords });
    }

    atom() {
      const { kind, text, from, value, whole } = this.token;
      if (kind === "number") {
        this.at++;
        return this.node(value === null ? "other" : "number", from, { value, whole });
      }
      if (kind === "string") {
        while (this.token.kind === "string") this.at++;
        return this.node("other", from);
      }
      if (kind === "name") {
        this.at++;
        return this.node("name", from, { name: text.normalize("NFKC") });
      }
      if (this.take("True", "False", "None", "...")) return this.node("other", from);
      if (this.take("(")) return this.group(from);
      if (this.take("[")) this.list("]", () => this.item() && this.comprehension());
      else if (this.take("{")) this.list("}", () => this.entry());
      else this.stop();
      return this.node("other", from);
    }

    group(from) {
      if (this.take("yield")) {
        this.take("from");
        if (!this.is(")")) this.list(")", () => this.item());
        else this.take(")");
        return this.node("other", from);
      }
      const starred = this.is("*");
      let inner = null;
      let several = false;
      const taken = this.list(")", () => {
        inner = this.item();
        several = this.comprehension() || several;
      });
      const comma = this.tokens[this.at - 2].text === ",";
      if (taken === 1 && !comma && starred) fail("cannot use starred expression here");
      return taken === 1 && !comma && !several ? inner : this.node("other", from);
    }

    /** Items with commas between, up to the closing bracket; how many there were. */
    list(closing, item) {
      let taken = 0;
      while (!this.take(closing)) {
        item();
        taken++;
        if (!this.take(",") && !this.is(closing)) this.missing();
      }
      return taken;
    }

    /** Between two items there is no comma; unless they are no two items. */
    missing() {
      const place = this.at;
      const starts = ["number", "name", "string"].includes(this.token.kind);
      if (starts) {
        try {
          this.climb(1);
        } catch {
          this.at = place;
          this.stop();
        }
        fail("invalid syntax. Perhaps you forgot a comma?");
      }
      this.stop();
    }

    /** An item of a list: it may have a star, or a name. */
    item() {
      const from = this.token.from;
      if (this.take("*")) {
        this.climb(BITWISE);
        return this.node("other", from);
      }
      const found = this.expression();
      if (found.kind !== "name" || !this.take(":=")) return found;
      this.expression();
      return this.node("other", from);
    }

    entry() {
      if (this.take("**")) return this.climb(BITWISE);
      this.item();
      if (this.take(":")) this.expression();
      return this.comprehension();
    }

    slice() {
      if (!this.is(":")) this.item();
      while (this.take(":")) if (!this.is(":", "]", ",")) this.expression();
    }

    comprehension() {
      let found = false;
      while (this.is("for", "async")) {
        found = true;
        this.take("async");
        this.need("for");
        do this.climb(BITWISE);
        while (this.take(","));
        this.need("in");
        this.climb(1);
        while (this.take("if")) this.climb(1);
      }
      return found;
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
