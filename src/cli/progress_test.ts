import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { MIB } from "../base/bytes.ts";
import { type ProgressEvent, progressJson, progressLine, progressLines, ProgressMeter } from "./progress.ts";
import { ProgressDisplay, type ProgressMode } from "./progress_display.ts";
import { fakeClock } from "./testing.ts";
import { displayWidth } from "./width.ts";

function event(filesDone: number, bytesDone: number, more: Partial<ProgressEvent> = {}): ProgressEvent {
  return { type: "progress", operation: "backup", filesDone, bytesDone, ...more };
}

Deno.test("ProgressMeter measures speed, share and time left", async (t) => {
  await t.step("by bytes", () => {
    const meter = new ProgressMeter();
    const totals = { filesTotal: 10, bytesTotal: 100 * MIB };
    const first = meter.update(event(0, 0, totals), 5000);
    deepEqual([first.fraction, first.bytesPerSecond, first.secondsLeft], [0, undefined, undefined]);
    const second = meter.update(event(1, 10 * MIB, totals), 7000);
    deepEqual([second.fraction, second.bytesPerSecond, second.secondsLeft], [0.1, 5 * MIB, 18]);
    equal(second.secondsElapsed, 2);
  });
  await t.step("by files where no bytes are to be done", () => {
    const meter = new ProgressMeter();
    meter.update(event(0, 0, { filesTotal: 8, bytesTotal: 0 }), 0);
    const state = meter.update(event(2, 0, { filesTotal: 8, bytesTotal: 0 }), 2000);
    deepEqual([state.fraction, state.secondsLeft], [0.25, 6]);
  });
  await t.step("nothing is said of the end where there is no total", () => {
    const meter = new ProgressMeter();
    meter.update(event(0, 0), 0);
    const state = meter.update(event(5, 50), 2000);
    deepEqual([state.fraction, state.secondsLeft, state.bytesPerSecond], [undefined, undefined, 25]);
  });
  await t.step("nothing is left forever where nothing moves, and no share exceeds 1", () => {
    const meter = new ProgressMeter();
    meter.update(event(0, 10, { bytesTotal: 5 }), 0);
    const state = meter.update(event(0, 10, { bytesTotal: 5 }), 60_000);
    deepEqual([state.fraction, state.secondsLeft, state.bytesPerSecond], [1, undefined, 0]);
  });
  await t.step("an old burst is forgotten", () => {
    const meter = new ProgressMeter();
    let state = meter.update(event(0, 0), 0);
    for (let second = 1; second <= 60; second++) {
      state = meter.update(event(second, 1000 * MIB + second * MIB), second * 1000);
    }
    equal(state.bytesPerSecond, MIB);
  });
  await t.step("another operation, or one that starts over, is measured anew", () => {
    const meter = new ProgressMeter();
    meter.update(event(9, 900), 0);
    equal(meter.update(event(0, 0), 9000).secondsElapsed, 0);
    equal(meter.update(event(0, 0, { operation: "verify" }), 10_000).secondsElapsed, 0);
  });
});

const whole = { filesTotal: 5678, bytesTotal: 300 * MIB, current: "/srv/a" };

function stateAfter(more: Partial<ProgressEvent>) {
  const meter = new ProgressMeter();
  meter.update(event(0, 0, more), 0);
  return meter.update(event(1234, 100 * MIB, more), 10_000);
}

Deno.test("progressLines() fit into the terminal and hide nothing that a terminal obeys", async (t) => {
  const cases = [
    {
      name: "wide",
      columns: 100,
      lines: ["backup  33%  1,234 of 5,678 files  100 MiB of 300 MiB  10.0 MiB/s  20 s left", "  /srv/a"],
    },
    { name: "narrow", columns: 60, lines: ["backup  33%  1,234 of 5,678 files  100 MiB of 300 MiB", "  /srv/a"] },
    { name: "narrower", columns: 20, lines: ["backup  33%", "  /srv/a"] },
    {
      name: "without totals",
      columns: 100,
      more: { filesTotal: undefined, bytesTotal: undefined, current: undefined },
      lines: ["backup  1,234 files  100 MiB  10.0 MiB/s"],
    },
    {
      name: "a long name",
      columns: 20,
      more: { current: "/srv/a/very/long/name" },
      lines: ["backup  33%", "  /srv/…y/long/name"],
    },
    {
      name: "a wide name",
      columns: 20,
      more: { current: "/漢漢漢漢漢漢漢漢漢漢.txt" },
      lines: ["backup  33%", "  /漢漢…漢漢漢.txt"],
    },
    {
      name: "a hostile name",
      columns: 60,
      more: { current: "/a\x1b[2J\nb\udcff" },
      lines: ["backup  33%  1,234 of 5,678 files  100 MiB of 300 MiB", "  /a\\x1b[2J\\x0ab\\xff"],
    },
  ];
  for (const { name, columns, more, lines } of cases) {
    await t.step(name, () => {
      const got = progressLines(stateAfter({ ...whole, ...more }), columns);
      deepEqual(got, lines);
      for (const line of got) equal(displayWidth(line) < columns, true);
    });
  }
});

Deno.test("progressJson() has snake_case keys and null for what is unknown", () => {
  deepEqual(progressJson(stateAfter(whole)), {
    type: "progress",
    operation: "backup",
    files_done: 1234,
    files_total: 5678,
    bytes_done: 100 * MIB,
    bytes_total: 300 * MIB,
    bytes_per_second: 10 * MIB,
    seconds_elapsed: 10,
    seconds_left: 20,
    current: "/srv/a",
  });
  const unknown = progressJson(new ProgressMeter().update(event(0, 0, { current: "/\udcff" }), 0));
  deepEqual([unknown.files_total, unknown.bytes_per_second, unknown.seconds_left], [null, null, null]);
  deepEqual(unknown.current, { base64: "L/8=", display: "/\\xff" });
});

Deno.test("ProgressDisplay shows no more often than its mode allows", async (t) => {
  const cases: { mode: ProgressMode; everyMs: number; seconds: number; shown: number }[] = [
    { mode: "terminal", everyMs: 7, seconds: 2, shown: 20 },
    { mode: "terminal", everyMs: 1000, seconds: 5, shown: 5 },
    { mode: "plain", everyMs: 100, seconds: 45, shown: 4 },
    { mode: "plain", everyMs: 100, seconds: 9, shown: 0 },
    { mode: "json", everyMs: 100, seconds: 5, shown: 5 },
    { mode: "none", everyMs: 100, seconds: 60, shown: 0 },
  ];
  for (const { mode, everyMs, seconds, shown } of cases) {
    await t.step(`${mode}: an event each ${everyMs} ms for ${seconds} s`, () => {
      const clock = fakeClock();
      let texts = 0, values = 0;
      const writer = { writeText: () => void texts++, writeJson: () => void values++, columns: () => 80 };
      const display = new ProgressDisplay(mode, writer, clock);
      for (; clock.ms < seconds * 1000; clock.ms += everyMs) display.show(event(1, clock.ms));
      // At 7 ms the events themselves are up to 6 ms late, so a few fewer are right too; one more never is.
      equal(texts + values <= shown && texts + values >= shown * 0.9, true, String(texts + values));
      equal(values > 0, mode === "json");
    });
  }
});

Deno.test("ProgressDisplay leaves nothing on the terminal", () => {
  const clock = fakeClock();
  const screen = new Screen();
  const writer = { writeText: (text: string) => screen.write(text), writeJson: () => {}, columns: () => 40 };
  const display = new ProgressDisplay("terminal", writer, clock);
  screen.write("before\n");
  for (const current of ["/a", undefined, "/b/c", "/d"]) {
    display.show(event(1, 100, { current }));
    deepEqual(screen.lines.slice(0, 2), ["before", "backup  1 file  100 B"]);
    deepEqual(screen.lines.slice(2), current === undefined ? [] : [`  ${current}`]);
    clock.ms += 200;
  }
  display.clear();
  deepEqual(screen.lines, ["before", ""]);
  display.clear();
  screen.write("after\n");
  deepEqual(screen.lines, ["before", "after", ""]);
});

/** As much of a terminal as progress uses. */
class Screen {
  lines = [""];
  #row = 0;
  #column = 0;

  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [part] of text.matchAll(/\x1b\[(\d*)([AJ])|[\s\S]/g)) {
      if (part === "\n") [this.#row, this.#column] = [this.#row + 1, 0];
      else if (part === "\r") this.#column = 0;
      else if (part.endsWith("A") && part.length > 1) this.#row -= Number(part.slice(2, -1));
      else if (part === "\x1b[J") {
        this.lines.length = this.#row + 1;
        this.lines[this.#row] = this.lines[this.#row].slice(0, this.#column);
      } else {
        const line = this.lines[this.#row];
        this.lines[this.#row] = line.slice(0, this.#column).padEnd(this.#column) + part + line.slice(this.#column + 1);
        this.#column++;
      }
      this.lines[this.#row] ??= "";
    }
  }
}

Deno.test("progressLine() has no width where there is no terminal", () => {
  equal(
    progressLine(stateAfter(whole)),
    "backup  33%  1,234 of 5,678 files  100 MiB of 300 MiB  10.0 MiB/s  20 s left",
  );
});
