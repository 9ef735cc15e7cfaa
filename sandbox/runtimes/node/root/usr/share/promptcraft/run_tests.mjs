// Imports every test file of the job into this process, where node:test runs its tests. Test files are those that `node
// --test` would run.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

const NO_TESTS_COLLECTED = 5;
const TEST_NAME = /^(test|test-.+|.+[.\-_]test)\.[cm]?js$/;

function* testFiles(folder, below) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") {
      yield* testFiles(path, below || entry.name === "test");
    } else if (entry.isFile() && (TEST_NAME.test(entry.name) || (below && /\.[cm]?js$/.test(entry.name)))) {
      yield path;
    }
  }
}

const files = [...testFiles(process.cwd(), false)];
if (files.length === 0) process.exitCode = NO_TESTS_COLLECTED;
for (const file of files) {
  try {
    await import(pathToFileURL(file));
  } catch (error) {
    test(`${file.slice(process.cwd().length + 1)} loads`, () => {
      throw error;
    });
  }
}
