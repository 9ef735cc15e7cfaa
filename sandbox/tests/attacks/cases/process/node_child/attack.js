const fs = require('node:fs');
const { execSync, spawnSync } = require('node:child_process');

function attempt(name, action) {
  let line;
  try {
    line = `ESCAPED ${name} ${action()}`;
  } catch (error) {
    line = `BLOCKED ${name} ${error.code ?? error.name}`;
  }
  fs.writeSync(1, `${line}\n`);
}

function start(path, ...words) {
  const done = spawnSync(path, words, { timeout: 5000 });
  if (done.error) throw done.error;
  if (done.status !== 0) throw Object.assign(new Error(String(done.stderr)), { code: `exit_${done.status}` });
  return `ran ${done.stdout}`;
}

fs.writeFileSync('control', fs.readFileSync('host.json').subarray(0, 1));
fs.writeSync(1, fs.readFileSync('control', 'utf8') === '{' ? 'CONTROL ok\n' : 'CONTROL broken\n');
fs.copyFileSync('/usr/bin/node', 'copy');
fs.chmodSync('copy', 0o755);
attempt('copy', () => start('./copy', '-e', 'console.log(1)'));
attempt('copy_by_loader', () => start('/lib64/ld-linux-x86-64.so.2', './copy', '-e', 'console.log(1)'));
attempt('shell', () => execSync('echo ran'));
attempt('shell_by_path', () => start('/bin/sh', '-c', 'echo ran'));
attempt('runner', () => start('/promptcraft-runner', 'serve'));
attempt('other_user', () => {
  const done = spawnSync('/usr/bin/node', ['-e', '1'], { uid: 0 });
  if (done.error) throw done.error;
  return 'ran';
});
attempt('own_user', () => process.setuid(0) ?? 'root');
attempt('library', () => {
  fs.copyFileSync('/usr/lib/x86_64-linux-gnu/libgcc_s.so.1', 'library.node');
  try {
    process.dlopen({ exports: {} }, '/work/job/library.node');
  } catch (error) {
    // What is loaded and is only no module of Node's gives the same code.
    throw Object.assign(error, { code: error.message.split(': ').pop().replaceAll(' ', '_') });
  }
});
attempt('runner_memory', () => fs.openSync('/proc/1/mem', 'r+'));
attempt('kill_worker', () => process.kill(JSON.parse(fs.readFileSync('host.json')).worker_pid, 0));
