"use strict";
// Answers what Node.js reads from /proc and /etc/passwd, which no job can read. Runs before every program and worker thread.
const os = require("node:os");
const { syncBuiltinESMExports } = require("node:module");

/** Replaces a function by one that calls `instead` where the original is refused an answer. */
function answer(owner, name, instead, isAnswer = () => true) {
  const original = owner[name];
  const replaced = function (...given) {
    try {
      const found = Reflect.apply(original, this, given);
      if (isAnswer(found)) return found;
    } catch (error) {
      if (error?.code !== "ERR_SYSTEM_ERROR" && error?.code !== "EACCES" && error?.code !== "ENOENT") throw error;
    }
    return instead(...given);
  };
  Object.defineProperty(replaced, "name", { value: name });
  owner[name] = Object.assign(replaced, original);
}

const processor = () => ({ model: "unknown", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } });
answer(os, "cpus", () => Array.from({ length: os.availableParallelism() }, processor), (found) => found.length > 0);

answer(os, "userInfo", (options) => {
  const text = options?.encoding === "buffer" ? (value) => Buffer.from(value) : (value) => value;
  const [uid, gid] = [process.getuid(), process.getgid()];
  return { uid, gid, username: text(process.env.USER ?? "nobody"), homedir: text(os.homedir()), shell: null };
});

const loopback = { address: "127.0.0.1", netmask: "255.0.0.0", family: "IPv4", mac: "00:00:00:00:00:00", internal: true, cidr: "127.0.0.1/8" };
answer(os, "networkInterfaces", () => ({ lo: [{ ...loopback }] }));

const residentBytes = () => process.resourceUsage().maxRSS * 1024;
answer(process, "memoryUsage", () => {
  // Loaded when it is needed, because every program waits for this file.
  const heap = require("node:v8").getHeapStatistics();
  const { total_heap_size: heapTotal, used_heap_size: heapUsed, external_memory: external } = heap;
  return { rss: residentBytes(), heapTotal, heapUsed, external, arrayBuffers: 0 };
});
answer(process.memoryUsage, "rss", residentBytes);

syncBuiltinESMExports();
