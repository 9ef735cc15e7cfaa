#!/usr/bin/env bash
base() { printf '%s\n' "${1##*/}"; }

test_base_of_a_path() { [ "$(base /a/b/c.txt)" = c.txt ]; }
test_base_of_a_name() { [ "$(base c.txt)" = c.txt ]; }
