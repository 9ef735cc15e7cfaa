// Writes one JSON line for every test to descriptor 3, as it starts and as it ends; suites only where they fail by
// themselves. The reader trusts nothing of this.
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
    const isSuite = data.details.type === "suite";
    const explained = failedBelow[data.nesting + 1];
    if (failed) failedBelow[data.nesting] = true;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const outcome = skipped ? "skipped" : failed ? "failed" : "passed";
    const message = failed ? reason(data.details.error) : undefined;
    if (isSuite && path.length > 1 && !(failed && !explained)) continue;
    say({ event: "end", name, outcome, duration_ms: Math.round(data.details.duration_ms), message });
  }
}
