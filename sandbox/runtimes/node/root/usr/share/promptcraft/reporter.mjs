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
// An error after the end of its test, in a hook or outside of every test is reported in this text only.
const AFTER_THE_END = /^\w+: (?:Test hook "(?<hook>.*?)"|Test "(?<test>.*?)"|A resource)(?: at .*?)? generated asynchronous activity after the test ended\. This activity created the error "(?<text>.*)" (?:and|which) /s;

function say(line) {
  // The reader refuses lone surrogates.
  const wellFormed = (_key, value) => (typeof value === "string" ? value.toWellFormed() : value);
  let data = Buffer.from(JSON.stringify(line, wellFormed) + "\n");
  while (data.length > 0) data = data.subarray(writeSync(REPORT_FD, data));
}

function sayError(name, message) {
  say({ event: "end", name: name.slice(0, LONGEST_NAME), outcome: "error", duration_ms: 0, message: message.slice(0, LONGEST_MESSAGE) });
}

/** Returns the path of a URL, or nothing for one that is no path, such as one with an encoded slash. */
function filePath(url) {
  try {
    return fileURLToPath(url);
  } catch {
    return "";
  }
}

/** Returns `file:line: ` of the job's innermost frame, or nothing. */
function place(error) {
  const frames = typeof error?.stack === "string" ? error.stack.split("\n") : [];
  for (const frame of frames) {
    const [, where, line] = /^\s+at .*?\(?((?:file:\/\/)?\/[^()]*):(\d+):\d+\)?$/.exec(frame) ?? [];
    if (where === undefined) continue;
    const path = where.startsWith("file:") ? filePath(where) : where;
    if (path.startsWith(FOLDER)) return `${path.slice(FOLDER.length)}:${line}: `;
  }
  return "";
}

function describe(error) {
  try {
    const text = typeof error === "object" && error !== null ? `${error.name ?? "Error"}: ${error.message}` : String(error);
    return (place(error) + text).slice(0, LONGEST_MESSAGE);
  } catch {
    // The job wrote the error's methods.
    return "an error without readable text";
  }
}

/** Describes what a test threw, which node:test wraps. */
function reason(error) {
  return describe(error?.code === "ERR_TEST_FAILURE" ? error.cause : error);
}

let finished = false;
// Errors that reached the process and that no line of the report names yet.
const unreported = [];

function reported(isIt) {
  const index = unreported.findIndex(isIt);
  return index < 0 ? undefined : unreported.splice(index, 1)[0];
}

// A test that calls `process.exit` prevents later tests, its own end line and the texts about earlier errors.
process.on("exit", (code) => {
  if (code === 0 && !finished) sayError("process.exit", "the process ended before its tests did");
  for (const message of unreported) sayError(OUTSIDE, message);
});

/** Reports errors that belong to no test: the listener of node:test throws them, which would end the process. */
function keepRunning(event) {
  for (const listener of process.listeners(event)) {
    process.off(event, listener);
    process.on(event, (error, ...more) => {
      unreported.push(describe(error));
      try {
        listener(error, ...more);
      } catch {
        process.exitCode = 1;
        sayError(OUTSIDE, unreported.pop());
      }
    });
  }
}

/** Reports the error that a diagnostic of node:test tells of. */
function sayLate(diagnostic) {
  const { hook, test, text } = AFTER_THE_END.exec(diagnostic)?.groups ?? {};
  if (text === undefined) return;
  const name = hook !== undefined ? `hook ${hook}` : test !== undefined ? `${test} > after its end` : OUTSIDE;
  sayError(name, reported((message) => message.includes(text)) ?? text);
}

export default async function* reporter(events) {
  keepRunning("uncaughtException");
  keepRunning("unhandledRejection");
  const path = [];
  for await (const { type, data } of events) {
    if (type === "test:diagnostic") sayLate(data.message);
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
    // The tests of a skipped suite are not reported, so the suite is.
    if (data.details.type === "suite" && data.skip === undefined && (!failed || error.failureType === "subtestsFailed")) {
      if (path.length === 1) say({ event: "retract", name });
      continue;
    }
    const outcome = skipped ? "skipped" : failed ? "failed" : "passed";
    const message = failed ? reason(error) : undefined;
    reported((each) => each === message);
    say({ event: "end", name, outcome, duration_ms: Math.round(data.details.duration_ms), message });
  }
  finished = true;
}
