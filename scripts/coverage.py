"""Counts the lines of a coverage file by crate: coverage.py ROOT LCOV. Modules of unit tests are not counted."""

import collections
import pathlib
import sys

root, lcov = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
hits = {}
for line in lcov.read_text().splitlines():
    if line.startswith("SF:"):
        file = pathlib.Path(line[3:])
        lines = hits.setdefault(file, collections.Counter())
    elif line.startswith("DA:"):
        number, count = line[3:].split(",")[:2]
        lines[int(number)] += int(count)

total = collections.defaultdict(lambda: [0, 0])
files = []
for file, lines in hits.items():
    source = file.read_text().splitlines()
    end = next((number for number, text in enumerate(source, 1) if text.startswith("#[cfg(test)]")), len(source) + 1)
    counted = {number: count for number, count in lines.items() if number < end}
    covered = sum(count > 0 for count in counted.values())
    name = file.relative_to(root)
    files.append((len(counted) - covered, covered, len(counted), name))
    for key in (name.parts[0], "all"):
        total[key][0] += covered
        total[key][1] += len(counted)

print("most missed:")
for missed, covered, lines, name in sorted(files, key=lambda row: -row[0])[:25]:
    print(f"  {missed:5} of {lines:5}  {name}")
print("lines covered:")
for crate, (covered, lines) in sorted(total.items(), key=lambda row: (row[0] == "all", row[0])):
    print(f"  {crate:<12} {covered:6} of {lines:6}  {100 * covered / max(lines, 1):5.1f} %")
