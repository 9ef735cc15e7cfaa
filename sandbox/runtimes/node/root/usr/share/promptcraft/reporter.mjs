// Writes one JSON line to descriptor 3 when a test starts and one when it ends; suites only if they fail by themselves
// or are skipped. The start of a suite is written before it is known to be one, and retracted at its end. The reader
// does not trust the lines.
import { writeSync } from "node:fs";

const REPORT_FD = 3;
const LONGEST_NAME = 500;
const LONGEST_MESSAGE = 4000;

function say(line) {
  let data = Buffer.from(JSON.stringify(line) + "\n");
  while (data.length > 0) data = data.subarray(writeSync(REPORT_FD, data));
}

function reason(error) {
  const cause = error?.cause ?? error;
  const text = typeof cause === "object" && cause !== null ? `${cause.name ?? "Error"}: ${cause.message}` : String(cause);
  return text.slice(0, LONGEST_MESSAGE);
}

export default async function* reporter(events) {
  const path = [];
  const failedBelow = [];
  let finished = false;
  // A test that calls `process.exit` prevents later tests and its own end line.
  process.on("exit", (code) => {
    if (code !== 0 || finished) return;
    say({ event: "end", name: "process.exit", outcome: "error", duration_ms: 0, message: "the process ended before its tests did" });
  });
  for await (const { type, data } of events) {
    if (type !== "test:start" && type !== "test:pass" && type !== "test:fail") continue;
    path.length = data.nesting;
    path.push(data.name);
    const name = path.join(" > ").slice(0, LONGEST_NAME);
    if (type === "test:start") {
      failedBelow[data.nesting + 1] = false;
      if (path.length === 1) say({ event: "start", name });
      continue;
    }
    const failed = type === "test:fail";
    const explained = failedBelow[data.nesting + 1];
    const skipped = data.skip !== undefined || data.todo !== undefined;
    if (failed && !skipped) failedBelow[data.nesting] = true;
    // The tests of a skipped suite are not reported, so the suite is.
    if (data.details.type === "suite" && data.skip === undefined && !(failed && !explained)) {
      if (path.length === 1) say({ event: "retract", name });
      continue;
    }
    const outcome = skipped ? "skipped" : failed ? "failed" : "passed";
    const message = failed ? reason(data.details.error) : undefined;
    say({ event: "end", name, outcome, duration_ms: Math.round(data.details.duration_ms), message });
  }
  finished = true;
}
