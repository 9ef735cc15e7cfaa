// Writes one JSON line to descriptor 3 when a test starts and one when it ends; suites only if they fail by themselves
// or are skipped. The start of a suite is written before it is known to be one, and retracted at its end. The reader
// does not trust the lines.
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

const REPORT_FD = 3;
const LONGEST_NAME = 500;
const LONGEST_MESSAGE = 4000;
const OUTSIDE = "outside of the tests";
const FOLDER = process.cwd() + "/";
// An error after the end of its test is reported in this text only.
const AFTER_THE_END = /^\w+: Test "(.*?)"(?: at .*)? generated asynchronous activity after the test ended\. This activity created the error "(.*)" and/s;

function say(line) {
  let data = Buffer.from(JSON.stringify(line) + "\n");
  while (data.length > 0) data = data.subarray(writeSync(REPORT_FD, data));
}

function sayError(name, message) {
  say({ event: "end", name: name.slice(0, LONGEST_NAME), outcome: "error", duration_ms: 0, message: message.slice(0, LONGEST_MESSAGE) });
}

/** Returns `file:line: ` of the job's innermost frame, or nothing. */
function place(error) {
  const frames = typeof error?.stack === "string" ? error.stack.split("\n") : [];
  for (const frame of frames) {
    const [, where, line] = /^\s+at .*?\(?((?:file:\/\/)?\/[^()]*):(\d+):\d+\)?$/.exec(frame) ?? [];
    if (where === undefined) continue;
    const path = where.startsWith("file:") ? fileURLToPath(where) : where;
    if (path.startsWith(FOLDER)) return `${path.slice(FOLDER.length)}:${line}: `;
  }
  return "";
}

function reason(error) {
  const cause = error?.cause ?? error;
  const text = typeof cause === "object" && cause !== null ? `${cause.name ?? "Error"}: ${cause.message}` : String(cause);
  return (place(cause) + text).slice(0, LONGEST_MESSAGE);
}

let finished = false;
let explained = false;
let uncaught;
// A test that calls `process.exit` prevents later tests and its own end line.
process.on("exit", (code) => {
  if (code === 0 && !finished) sayError("process.exit", "the process ended before its tests did");
  if (code !== 0 && !explained && uncaught) sayError(OUTSIDE, uncaught);
});

/** Reports errors that belong to no test: the listener of node:test throws them, which would end the process. */
function keepRunning(event) {
  for (const listener of process.listeners(event)) {
    process.off(event, listener);
    process.on(event, (error, ...more) => {
      uncaught = reason(error);
      try {
        listener(error, ...more);
      } catch {
        explained = true;
        process.exitCode = 1;
        sayError(OUTSIDE, uncaught);
      }
    });
  }
}

export default async function* reporter(events) {
  keepRunning("uncaughtException");
  keepRunning("unhandledRejection");
  const path = [];
  for await (const { type, data } of events) {
    const late = type === "test:diagnostic" ? AFTER_THE_END.exec(data.message) : null;
    if (late) {
      explained = true;
      sayError(`${late[1]} > after its end`, uncaught?.includes(late[2]) ? uncaught : late[2]);
    }
    if (type !== "test:start" && type !== "test:pass" && type !== "test:fail") continue;
    path.length = data.nesting;
    path.push(data.name);
    const name = path.join(" > ").slice(0, LONGEST_NAME);
    if (type === "test:start") {
      if (path.length === 1) say({ event: "start", name });
      continue;
    }
    const failed = type === "test:fail";
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const { error } = data.details;
    explained ||= failed && !skipped;
    // The tests of a skipped suite are not reported, so the suite is.
    if (data.details.type === "suite" && data.skip === undefined && (!failed || error.failureType === "subtestsFailed")) {
      if (path.length === 1) say({ event: "retract", name });
      continue;
    }
    const outcome = skipped ? "skipped" : failed ? "failed" : "passed";
    const message = failed ? reason(error) : undefined;
    say({ event: "end", name, outcome, duration_ms: Math.round(data.details.duration_ms), message });
  }
  finished = true;
}
