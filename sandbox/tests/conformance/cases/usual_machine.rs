//! What programs expect of any machine: shared memory, time zones, a locale, names, the tools of a shell.

use sandbox::{Command, IsolationLevel, Job, Sandbox};

use crate::support::{job, run, script, script_job, text};

fn script_of(runtime: &str, level: IsolationLevel, path: &str, source: &str) -> Job {
    Job { runtime: runtime.into(), ..job(level, Command::Script { path: path.into() }, &[(path, source)]) }
}

#[track_caller]
fn check(result: &sandbox::JobResult, stdout: &str) {
    assert_eq!((text(&result.stdout), text(&result.stderr), result.exit_code), (stdout, "", Some(0)));
}

pub(crate) async fn processes_share_memory(sandbox: &dyn Sandbox) {
    let source = r#"
import multiprocessing as mp, os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory
def square(number): return number * number
if __name__ == "__main__":
    with mp.Pool(2) as pool: print(pool.map(square, [1, 2, 3]))
    with ProcessPoolExecutor(2) as pool: print(list(pool.map(square, [4])))
    with mp.get_context("spawn").Pool(1) as pool: print(pool.map(square, [5]))
    queue = mp.Queue(); queue.put("item"); print(queue.get(), mp.Value("i", 6).value)
    with mp.Manager() as manager: print(list(manager.list([7])))
    segment = shared_memory.SharedMemory(create=True, size=1 << 20)
    segment.buf[0] = 8; print(segment.buf[0], segment.name in os.listdir("/dev/shm"), os.listdir("/tmp"))
    segment.close(); segment.unlink()
"#;
    let expect = "[1, 4, 9]\n[16]\n[25]\nitem 6\n[7]\n8 True []\n";
    for level in [IsolationLevel::Standard, IsolationLevel::Permissive] {
        check(&run(sandbox, script_job(level, source)).await, expect);
    }
    let threads = "from multiprocessing.pool import ThreadPool\nprint(ThreadPool(2).map(abs, [-1]))\n";
    check(&run(sandbox, script_job(IsolationLevel::Strict, threads)).await, "[1]\n");
}

pub(crate) async fn time_zones_and_the_locale_exist(sandbox: &dyn Sandbox) {
    let source = r#"
import datetime, locale, os, time, zoneinfo
print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), zoneinfo.ZoneInfo("UTC"))
os.environ["TZ"] = "America/New_York"; time.tzset(); print(time.strftime("%H:%M %Z", time.localtime(0)))
print(locale.setlocale(locale.LC_ALL, ""), locale.getencoding())
"#;
    check(&script(sandbox, source).await, "2024-07-01 00:00:00+02:00 UTC\n19:00 EST\nC.UTF-8 UTF-8\n");
    let source = "TZ=Asia/Tokyo date -d @0 '+%F %T %Z'\ns='naïve 文字 😀'; echo ${#s} ${s^^}\necho -n é | wc -m\n[[ é =~ ^.$ ]] && echo é | awk '{ print length($0) }'\n";
    let expect = "1970-01-01 09:00:00 JST\n10 NAÏVE 文字 😀\n1\n1\n";
    check(&run(sandbox, script_of("bash", IsolationLevel::Strict, "main.sh", source)).await, expect);
    let source = "print(os.setlocale(''), #utf8.char(233), ('é'):upper())\n";
    let result = run(sandbox, script_of("lua", IsolationLevel::Strict, "main.lua", source)).await;
    check(&result, "C.UTF-8\t2\té\n");
}

pub(crate) async fn localhost_and_the_own_name_resolve(sandbox: &dyn Sandbox) {
    let source = r#"
import asyncio, http.server, socket, threading, urllib.request
server = http.server.HTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
server.RequestHandlerClass.log_message = lambda *arguments: None
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://localhost:{server.server_port}/main.py").status)
async def greet(reader, writer):
    writer.write(b"hi"); writer.close()
async def meet():
    async with await asyncio.start_server(greet, "localhost", 0) as server:
        reader, _ = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
        return await reader.read()
print(asyncio.run(meet()), socket.gethostbyname("localhost"), socket.gethostbyname(socket.gethostname())[:4])
try: socket.getaddrinfo("example.org", 80)
except socket.gaierror: print("no other name")
"#;
    let result = script(sandbox, source).await;
    check(&result, "200\nb'hi' 127.0.0.1 127.\nno other name\n");
    // The server listens on IPv4 only.
    let source = "const server = require('http').createServer((request, answer) => answer.end('pong'));\nserver.listen(0, '127.0.0.1', async () => {\n  console.log(await (await fetch(`http://localhost:${server.address().port}`)).text());\n  process.exit();\n});\n";
    check(&run(sandbox, script_of("node", IsolationLevel::Standard, "main.js", source)).await, "pong\n");
}

pub(crate) async fn bash_has_the_usual_tools(sandbox: &dyn Sandbox) {
    let source = r#"
sh -c 'echo from sh'; echo a | xargs -I{} sh -c 'echo {}'; awk 'BEGIN { system("echo from awk") }'
which ls; echo '{"a":[1,2]}' | jq -c .a; echo '2^64' | bc; printf abc | xxd -p; printf 'a b\nccc d\n' | column -t
echo abc | rev; file -b main.sh; tar cz main.sh | tar tz; echo hi | gzip | zcat | less; hostname
install -m 600 main.sh copy; cp -p copy other; stat -c %a copy other; sed -i 1d copy; stdbuf -oL nice -n 1 env printf 'end\n'
whoami 2>/dev/null || echo nobody knows
"#;
    let expect = "from sh\na\nfrom awk\n/usr/bin/ls\n[1,2]\n18446744073709551616\n616263\na    b\nccc  d\ncba\nASCII text\nmain.sh\nhi\nsandbox\n600\n600\nend\nnobody knows\n";
    for level in [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive] {
        check(&run(sandbox, script_of("bash", level, "main.sh", source)).await, expect);
    }
}

pub(crate) async fn node_knows_its_processors_and_its_user(sandbox: &dyn Sandbox) {
    let source = r"
import os, { cpus, userInfo } from 'node:os';
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
const facts = `cpus().length > 0 && userInfo().username === 'nobody' && networkInterfaces().lo.length === 1`;
console.log(cpus().length === os.availableParallelism(), userInfo().homedir, os.networkInterfaces().lo[0].address);
const { rss, heapUsed } = process.memoryUsage();
console.log(rss > heapUsed, heapUsed > 0, process.memoryUsage.rss() > 0, process.execArgv.length);
const child = `with (require('os')) console.log(${facts})`;
process.stdout.write(execFileSync(process.execPath, ['-e', child]));
new Worker(child, { eval: true });
";
    let result = run(sandbox, script_of("node", IsolationLevel::Standard, "main.mjs", source)).await;
    check(&result, "true /work/tmp 127.0.0.1\ntrue true true 0\ntrue\ntrue\n");
}
