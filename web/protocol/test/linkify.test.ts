import { describe, expect, it } from "vitest";
import { linkify } from "../src/linkify.ts";

/** A text, then the links expected in it as [shown text, URL]; none where nothing may be clickable. */
const TABLE: [text: string, ...links: [shown: string, href: string][]][] = [
  ["plain words"],
  ["https://example.com", ["https://example.com", "https://example.com/"]],
  ["http://example.com", ["http://example.com", "http://example.com/"]],
  ["HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A", "https://example.com/A"]],
  ["see https://example.com.", ["https://example.com", "https://example.com/"]],
  ["see https://example.com, then", ["https://example.com", "https://example.com/"]],
  ["https://example.com!", ["https://example.com", "https://example.com/"]],
  ["https://example.com?", ["https://example.com", "https://example.com/"]],
  ["https://example.com...", ["https://example.com", "https://example.com/"]],
  ["(https://example.com)", ["https://example.com", "https://example.com/"]],
  ["(see https://example.com/a)", ["https://example.com/a", "https://example.com/a"]],
  ["https://example.com/a_(b)", ["https://example.com/a_(b)", "https://example.com/a_(b)"]],
  ["(https://example.com/a_(b))", ["https://example.com/a_(b)", "https://example.com/a_(b)"]],
  ["[https://example.com]", ["https://example.com", "https://example.com/"]],
  ["{https://example.com}", ["https://example.com", "https://example.com/"]],
  ["<https://example.com>", ["https://example.com", "https://example.com/"]],
  ['"https://example.com"', ["https://example.com", "https://example.com/"]],
  ["'https://example.com'", ["https://example.com", "https://example.com/"]],
  ["“https://example.com”", ["https://example.com", "https://example.com/"]],
  ["*https://example.com*", ["https://example.com", "https://example.com/"]],
  ["https://example.com/a?b=c&d=e#f", ["https://example.com/a?b=c&d=e#f", "https://example.com/a?b=c&d=e#f"]],
  ["https://example.com:8443/x", ["https://example.com:8443/x", "https://example.com:8443/x"]],
  ["http://localhost:3000/x", ["http://localhost:3000/x", "http://localhost:3000/x"]],
  ["http://127.0.0.1/x", ["http://127.0.0.1/x", "http://127.0.0.1/x"]],
  ["http://[::1]/x", ["http://[::1]/x", "http://[::1]/x"]],
  ["请看https://example.com/a。谢谢", ["https://example.com/a", "https://example.com/a"]],
  ["「https://example.com/a」", ["https://example.com/a", "https://example.com/a"]],
  ["（https://example.com/a）", ["https://example.com/a", "https://example.com/a"]],
  ["https://a.example https://b.example", ["https://a.example", "https://a.example/"], ["https://b.example", "https://b.example/"]],
  ["https://example.com\nnext", ["https://example.com", "https://example.com/"]],
  ["www.example.com", ["www.example.com", "https://www.example.com/"]],
  ["www.example.com/a,", ["www.example.com/a", "https://www.example.com/a"]],
  ["example.com", ["example.com", "https://example.com/"]],
  ["go to example.com/help?x=1.", ["example.com/help?x=1", "https://example.com/help?x=1"]],
  ["shop.example.co", ["shop.example.co", "https://shop.example.co/"]],
  ["readme.md and main.rs"],
  ["e.g. this, i.e. that"],
  ["version 1.2.3"],
  ["end.Start"],
  ["example.community"],
  ["vera@example.com", ["vera@example.com", "mailto:vera@example.com"]],
  ["mail vera.k+x@mail.example.org!", ["vera.k+x@mail.example.org", "mailto:vera.k%2Bx@mail.example.org"]],
  ["mailto:vera@example.com", ["mailto:vera@example.com", "mailto:vera@example.com"]],
  ["mailto:vera@example.com?bcc=all@example.com", ["mailto:vera@example.com?bcc=all@example.com", "mailto:vera@example.com"]],
  ["mailto:nobody"],
  ["javascript:alert(1)"],
  ["JaVaScRiPt:alert(1)"],
  ["javascript://example.com/%0Aalert(1)"],
  ["data:text/html,<script>alert(1)</script>"],
  ["vbscript:msgbox(1)"],
  ["file:///etc/passwd"],
  ["ftp://example.com"],
  ["blob:https//x"],
  ["tel:+123456"],
  ["https://"],
  ["http://."],
  ["https://example"],
  ["https://example.com@evil.example/"],
  ["https://user:pass@evil.example/"],
  ["https://bücher.example", ["https://bücher.example", "https://xn--bcher-kva.example/"]],
  ["https://пример.испытание", ["https://пример.испытание", "https://xn--e1afmkfd.xn--80akhbyknj4f/"]],
  ["https://аррӏе.com", ["https://xn--80ak6aa92e.com", "https://xn--80ak6aa92e.com/"]],
  ["https://pаypal.com", ["https://xn--pypal-4ve.com", "https://xn--pypal-4ve.com/"]],
  ["https://例え.jp", ["https://例え.jp", "https://xn--r8jz45g.jp/"]],
  ["https://例子.中国", ["https://例子.中国", "https://xn--fsqu00a.xn--fiqs8s/"]],
  ["https://exa\u202emple.com", ["https://exa", ""]],
  ["https://example.com/\u202egpj.exe", ["https://example.com/", "https://example.com/"]],
  ["<b>https://example.com</b>", ["https://example.com", "https://example.com/"]],
  ["<img src=x onerror=alert(1)>"],
  ["https://example.com/<script>", ["https://example.com/", "https://example.com/"]],
  ["https://example.com/`x", ["https://example.com/", "https://example.com/"]],
  ["ttps://example.com is not https", ],
];

describe("links in text", () => {
  it("has sixty cases and more", () => expect(TABLE.length).toBeGreaterThanOrEqual(60));

  it.each(TABLE)("%s", (text, ...links) => {
    const pieces = linkify(text);
    const expected = links.filter(([, href]) => href !== "");
    expect(pieces.filter(({ href }) => href !== undefined).map(({ text: shown, href }) => [shown, href])).toEqual(expected);
    // Text that is not shown in Punycode is shown as it was written.
    if (!pieces.some((piece) => piece.text.includes("xn--"))) expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  });

  it("is quick on hostile text", () => {
    const started = performance.now();
    for (const text of ["a.".repeat(5_000), "https://".repeat(2_000), "((((".repeat(2_000), `${"a".repeat(9_000)}@`, "www.".repeat(3_000), `https://example.com/${")".repeat(20_000)}`]) linkify(text);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
