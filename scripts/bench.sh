#!/usr/bin/env bash
# Runs every measurement, with the floors of this machine in the same run: bench.sh [WORKFLOWS]. Rows of Docker need a running
# engine. Growth is measured with WORKFLOWS ended workflows in the log, 50,000 by default, and a tenth of that queued.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

prepare_stack
cargo build --release --workspace --bins
cargo bench -p tests --bench latency --bench submissions
cargo bench -p sandbox --bench speed
cargo bench -p generator --bench matching
cargo bench -p tests --bench growth -- "${1:-50000}"
