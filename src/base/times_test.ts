import { strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { formatLocalTime, formatRfc3339, parseTime } from "./times.ts";

const NS = 1_000_000_000n;
const utc = (text: string, ns = 0n) => (BigInt(Date.parse(text) / 1000) * NS + ns).toString();

Deno.test("parseTime() reads RFC 3339 exactly", async (t) => {
  const cases: [string, string | undefined][] = [
    ["1970-01-01T00:00:00Z", "0"],
    ["1970-01-01T00:00:00.000000001z", "1"],
    ["1969-12-31T23:59:59.5Z", "-500000000"],
    ["2026-11-22T18:30:00.123456789+01:00", utc("2026-11-22T17:30:00Z", 123456789n)],
    ["2026-11-22 18:30:00-05:30", utc("2026-11-23T00:00:00Z")],
    ["2026-11-22t18:30Z", utc("2026-11-22T18:30:00Z")],
    ["0001-01-01T00:00:00Z", utc("0001-01-01T00:00:00Z")],
    ["2024-02-29T00:00:00Z", utc("2024-02-29T00:00:00Z")],
    ["2026-02-29T00:00:00Z", undefined],
    ["2026-13-01T00:00:00Z", undefined],
    ["2026-00-01T00:00:00Z", undefined],
    ["2026-01-01T24:00:00Z", undefined],
    ["2026-01-01T00:60:00Z", undefined],
    ["2026-01-01T00:00:60Z", undefined],
    ["2026-01-01T00:00:00+24:00", undefined],
    ["2026-01-01T00:00:00.1234567890Z", undefined],
    ["2026-1-1T00:00:00Z", undefined],
    ["2026-01-01Z", undefined],
    ["20260101", undefined],
    ["yesterday", undefined],
    ["", undefined],
  ];
  for (const [text, ns] of cases) await t.step(JSON.stringify(text), () => equal(parseTime(text), ns));
});

Deno.test("parseTime() reads local times as formatLocalTime() writes them", () => {
  equal(
    parseTime("2026-11-22 18:30:05"),
    (BigInt(new Date(2026, 10, 22, 18, 30, 5).getTime()) * 1_000_000n).toString(),
  );
  equal(parseTime("2026-11-22 18:30"), parseTime("2026-11-22 18:30:00"));
  equal(parseTime("2026-11-22"), parseTime("2026-11-22 00:00:00"));
  equal(parseTime("2026-11-22T18:30:05.25"), parseTime("2026-11-22 18:30:05.250"));
  for (const text of ["2026-02-30 10:00:00", "2026-01-01 24:00:00", "2026-01-01 10:60:00", "2026-01-01 10:00:60"]) {
    equal(parseTime(text), undefined, text);
  }
  fc.assert(fc.property(fc.integer({ min: -60_000_000_000, max: 250_000_000_000 }), (seconds) => {
    const shown = formatLocalTime((BigInt(seconds) * NS).toString());
    return formatLocalTime(parseTime(shown)!) === shown;
  }));
});

Deno.test("formatRfc3339() and parseTime() are inverse", () => {
  equal(formatRfc3339("-1"), "1969-12-31T23:59:59.999999999Z");
  equal(formatRfc3339("1795368600000000001"), "2026-11-22T17:30:00.000000001Z");
  equal(formatRfc3339("-99999999999999999999").slice(0, 6), "-1199-", "the earliest time that an entry can have");
  equal(formatRfc3339("99999999999999999999").slice(0, 5), "5138-");
  throws(() => formatRfc3339("9".repeat(30)), RangeError);
  const ns = fc.bigInt({ min: -62_135_596_800n * NS, max: 253_402_300_799n * NS });
  fc.assert(fc.property(ns, (time) => parseTime(formatRfc3339(time.toString())) === time.toString()));
});

Deno.test("local times follow the zone, and the hour that the clock skips does not exist", async () => {
  const script = `import { formatLocalTime, parseTime } from ${JSON.stringify(import.meta.resolve("./times.ts"))};
    console.log(JSON.stringify([parseTime("2026-07-01 12:00:00"), parseTime("2026-03-29 02:30:00"), formatLocalTime("0")]));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-lock", "--ext=ts", "-"],
    env: { TZ: "Europe/Berlin", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(script));
  await input.close();
  const { stdout, stderr, success } = await child.output();
  equal(success, true, new TextDecoder().decode(stderr));
  equal(new TextDecoder().decode(stdout).trim(), `["${utc("2026-07-01T10:00:00Z")}",null,"1970-01-01 01:00:00"]`);
});
